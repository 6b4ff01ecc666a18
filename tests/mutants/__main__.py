"""Breaks one safeguard after the other and runs the test that has to notice: `make mutants ARGS="drop-the-dedupe"`.

Each in a copy of the sources, so that nothing here changes. Exit status 1 if one goes unnoticed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.catalogue import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
SECONDS = 300


def main(names: list[str]) -> int:
    unknown = set(names) - {it.name for it in MUTANTS}
    if unknown:
        print(f"no such mutants: {', '.join(sorted(unknown))}; there are: {', '.join(it.name for it in MUTANTS)}")
        return 2
    chosen = [it for it in MUTANTS if not names or it.name in names]
    unnoticed: list[str] = []
    for number, mutant in enumerate(chosen, 1):
        started = time.monotonic()
        status = outcome(mutant)
        print(
            f"{number}/{len(chosen)} {mutant.name}: {status} by {mutant.test} ({time.monotonic() - started:.0f} s)",
            flush=True,
        )
        if status != "noticed":
            unnoticed.append(mutant.name)
    print(f"{len(chosen) - len(unnoticed)} of {len(chosen)} noticed")
    return 1 if unnoticed else 0


def outcome(mutant: Mutant) -> str:
    """Whether the test passes on the intact sources and fails on the broken ones."""
    with tempfile.TemporaryDirectory(prefix="tiebreak-mutant-") as directory:
        sources = Path(directory)
        shutil.copytree(ROOT / "src" / "tiebreak", sources / "tiebreak")
        if run(mutant.test, sources) != 0:
            return "fails without it: NOT noticed"
        broken = sources / "tiebreak" / mutant.file
        text = broken.read_text(encoding="utf-8")
        if text.count(mutant.intact) != 1:
            return "cannot be broken any more: NOT noticed"
        broken.write_text(text.replace(mutant.intact, mutant.broken), encoding="utf-8")
        match run(mutant.test, sources):
            case 0:
                return "NOT noticed"
            case 1:
                return "noticed"
            case other:
                return f"pytest ended with {other}: NOT noticed"


def run(test: str, sources: Path) -> int:
    """pytest's exit status: 0 passed, 1 failed."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", "--timeout=120", test],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(sources)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=SECONDS,
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
