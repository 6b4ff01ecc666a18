"""`python -m bench`, and `make bench`: every section, one after the other, each in its own process; then a summary.

`--only answers http` takes some of them; the summary is of all that results.json holds. Exit status 1 if a section
failed or a promise is not kept.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from importlib import import_module

from bench.processes import ROOT, ended, say
from bench.results import write_section
from bench.section import Section, add_options, claims_table, is_kept, limits_table, read_figures

NAMES = ("answers", "http", "relay", "board", "whole_way", "growth")


def section_of(name: str) -> Section:
    """The SECTION of its module; a package's is in its `__main__`."""
    module = import_module(f"bench.{name}")
    return getattr(module, "SECTION", None) or import_module(f"bench.{name}.__main__").SECTION


def summary(results: dict[str, dict[str, object]]) -> str:
    """The promises and the limits, by what each section has kept."""
    sections = [(section_of(name), results[name]["figures"]) for name in NAMES if name in results]
    claims = [claim for section, figures in sections for claim in section.claims(figures)]
    limits = [limit for section, figures in sections for limit in section.limits(figures)]
    measured = ", ".join(
        f"{name} {results[name]['machine']['date']} at {results[name]['machine']['commit']}"
        for name in NAMES
        if name in results
    )
    missing = [name for name in NAMES if name not in results]
    return "\n\n".join(
        [
            "## Summary: the price of an answer",
            "`make bench` writes what follows, and results.json beside this file. No figure comes from a mock: the "
            "servers are real, the database is durable, and every answer is accounted for. Ratios hold from machine to "
            f"machine better than figures do. Measured: {measured}."
            + (f" Not measured: {', '.join(missing)}." if missing else ""),
            "### What is promised",
            claims_table(claims),
            "### What the limit is for each step, and how far we are from it",
            limits_table(limits),
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="SECTION", help=", ".join(NAMES))
    options = parser.parse_args()
    # Told to stop, we stop what we started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    failed: list[str] = []
    for name in options.only:
        started = time.monotonic()
        say(f"{name}")
        command = [sys.executable, "-m", f"bench.{name}", "--results", str(options.results)]
        process = subprocess.Popen([*command, *(["--quick"] if options.quick else [])], cwd=ROOT, text=True)
        with ended(process):
            if process.wait():
                failed.append(name)
        say(f"{name}: {time.monotonic() - started:.0f} s")
    if failed:
        say(f"failed: {', '.join(failed)}")
    if not is_kept(quick=options.quick, results=options.results):
        return bool(failed)
    results = read_figures(options.results)
    text = summary(results)
    write_section(options.results, "summary", "python -m bench", text, first=True)
    print(text)
    kept = all(
        claim.holds for name in NAMES if name in results for claim in section_of(name).claims(results[name]["figures"])
    )
    return not kept or bool(failed)


if __name__ == "__main__":
    sys.exit(main())
