"""`python -m simulation`, and `make simulate`: run schedules, and show the first one that breaks a promise.

`--seed 7 --schedules 1000` runs the schedules 7 to 1006; without a seed it begins somewhere else each time. One
schedule alone is told from beginning to end (`--history`). Exit status 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import sys
from random import SystemRandom

from rich.console import Console
from rich.table import Table

from simulation.batch import Batch, silent
from simulation.schedule import Result, Schedule

DRAWN_FROM = 1_000_000_000


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m simulation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=None, help="of the first schedule")
    parser.add_argument("--schedules", type=int, default=5_000, help="how many (default 5000)")
    parser.add_argument("--history", action="store_true", help="print what happened in the first one, and stop")
    parser.add_argument("--go-on", action="store_true", help="do not stop at the first that breaks a promise")
    options = parser.parse_args()
    seed = SystemRandom().randrange(DRAWN_FROM) if options.seed is None else options.seed
    with silent():
        if options.history:
            return tell(Schedule(seed).run())
        return run(seed, options.schedules, go_on=options.go_on)


def tell(result: Result) -> int:
    """Everything that happened."""
    print("\n".join(result.history.lines()))
    print(f"digest {result.history.digest()}")
    return report(result)


def run(seed: int, count: int, *, go_on: bool) -> int:
    console = Console(stderr=True)
    batch = Batch()
    with console.status("", spinner="line") as status:
        for number in range(seed, seed + count):
            result = batch.run(number)
            if result.violations:
                report(result)
                if not go_on:
                    break
            if batch.schedules % 100 == 0:
                status.update(f"{batch.schedules} of {count} schedules, {batch.per_minute():.0f} a minute")
    summary(batch, seed)
    return 1 if batch.broken else 0


def report(result: Result) -> int:
    """What was broken, and how to see it again."""
    for violation in result.violations:
        print(f"seed {result.seed}: {violation}")
    if result.violations:
        print(f'see it again: make simulate ARGS="--seed {result.seed} --history"', flush=True)
    return 1 if result.violations else 0


def summary(batch: Batch, seed: int) -> None:
    print(
        f"{batch.schedules} schedules from seed {seed}: {len(batch.broken)} broke a promise. "
        f"{batch.answers} answers, {batch.virtual_seconds / 3600:.1f} h of virtual time, "
        f"{batch.per_minute():.0f} schedules a minute of CPU time"
    )
    table = Table("fault", "times", box=None)
    for kind, times in sorted(batch.faults.items()):
        table.add_row(kind, str(times))
    Console(file=sys.stdout).print(table)


if __name__ == "__main__":
    sys.exit(main())
