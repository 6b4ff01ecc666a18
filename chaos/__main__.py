"""`make chaos`: play rounds of faults, judge each, write docs/reliability.md.

Exit status 1 if a promise was broken; the seed and the rounds are told, and `--seed N --only-round M` plays one again.
The report is kept if the run has at least 500 faults and all kinds of them; shorter runs print it.
"""

from __future__ import annotations

import argparse
import os
import platform
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from chaos.display import display
from chaos.process import root
from chaos.report import Run, report
from chaos.rounds import RoundResult, play_round
from chaos.schedule import Kind, schedule
from chaos.stage import staged
from tests.kafka_server import LIBRARIES
from tests.servers import folder

REPORT = root() / "docs" / "reliability.md"


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = ", ".join(kind.name.lower() for kind in Kind)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="the same seed is the same schedule")
    parser.add_argument("--faults", type=int, default=500)
    parser.add_argument("--faults-per-round", type=int, default=25)
    parser.add_argument("--gap-seconds", type=float, default=1.8, help="between two faults, on average")
    parser.add_argument("--players", type=int, default=100, help="of a round's sessions together")
    parser.add_argument("--bus", choices=("kafka", "streams"), default="kafka")
    parser.add_argument("--cache", choices=("valkey", "redis"), default="valkey")
    parser.add_argument("--kinds", nargs="+", type=kind_named, default=[*Kind], metavar="KIND", help=kinds)
    parser.add_argument("--without", nargs="+", type=kind_named, default=[], metavar="KIND", help="kinds to leave out")
    parser.add_argument("--only-round", type=int, metavar="N", help="play this one again")
    parser.add_argument("--report", type=Path, default=REPORT)
    parser.add_argument("--keep-logs", type=Path, metavar="DIRECTORY", help="copy the processes' logs there")
    return parser.parse_args(arguments)


def kind_named(name: str) -> Kind:
    try:
        return Kind[name.upper()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"there is no kind {name}") from None


async def run(parsed: argparse.Namespace) -> list[RoundResult]:
    kinds = [kind for kind in parsed.kinds if kind not in parsed.without]
    rounds = -(-parsed.faults // parsed.faults_per_round)
    numbers = range(1, rounds + 1) if parsed.only_round is None else [parsed.only_round]
    results: list[RoundResult] = []
    with folder() as directory:
        try:
            async with staged(parsed.bus, parsed.cache, directory) as stage:
                with display(len(numbers) * parsed.faults_per_round) as shown:
                    for number in numbers:
                        faults = schedule(
                            parsed.seed,
                            number,
                            faults=parsed.faults_per_round,
                            gap_seconds=parsed.gap_seconds,
                            bus=parsed.bus,
                            kinds=kinds,
                        )
                        result = await play_round(
                            stage, number, faults, seed=parsed.seed, players=parsed.players, told=shown.fault
                        )
                        results.append(result)
                        shown.round(result)
        finally:
            if parsed.keep_logs:
                parsed.keep_logs.mkdir(parents=True, exist_ok=True)
                for log in [*directory.glob("*.log"), *directory.glob("*/*.log")]:
                    shutil.copy(log, parsed.keep_logs)
    return results


def versions(parsed: argparse.Namespace) -> list[str]:
    def said(*command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    from tests.redis_server import redis_program  # noqa: PLC0415 - asserts that there is one
    from tiebreak.embedded import postgres, valkey  # noqa: PLC0415

    cache = str(valkey.binary() if parsed.cache == "valkey" else redis_program())
    commit = said("git", "-C", str(root()), "rev-parse", "--short", "HEAD")
    return [
        f"Tiebreak at {commit}, Python {platform.python_version()}",
        said(str(postgres.binaries() / "postgres"), "--version"),
        " ".join(said(cache, "--version").split()[:3]),
        f"Kafka {LIBRARIES.name}" if parsed.bus == "kafka" else "Redis Streams as event bus",
        f"{platform.system()} {platform.machine()}, {len(os.sched_getaffinity(0))} cores",
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parsed = options(arguments)
    print(f"seed {parsed.seed}", file=sys.stderr, flush=True)
    # Told to stop, we stop what we started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    results = uvloop.run(run(parsed))
    command = "make chaos" + (f' ARGS="{" ".join(sys.argv[1:])}"' if sys.argv[1:] else "")
    found = Run(parsed.seed, command, versions(parsed), results)
    page = report(found)
    if found.is_long:
        parsed.report.write_text(page, encoding="utf-8")
        print(f"written: {parsed.report}", file=sys.stderr)
    else:
        print(page)
    for result in found.failing:
        print(f"again: python -m chaos --seed {parsed.seed} --only-round {result.number}", file=sys.stderr)
    return bool(found.failing)


if __name__ == "__main__":
    sys.exit(main())
