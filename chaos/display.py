"""What is to be seen while a run goes on: a bar in a terminal, lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chaos.rounds import RoundResult
from chaos.schedule import Fault


class Display(Protocol):
    """Is told of faults and rounds."""

    def fault(self, fault: Fault) -> None: ...
    def round(self, result: RoundResult) -> None: ...


class Bar:
    """For people."""

    def __init__(self, progress: Progress, faults: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=faults)

    def fault(self, fault: Fault) -> None:
        self._progress.update(self._task, advance=1, description=str(fault))

    def round(self, result: RoundResult) -> None:
        self._progress.print(told(result))


class Lines:
    """For logs."""

    def fault(self, fault: Fault) -> None:
        print(f"  {fault.at_seconds:6.1f} {fault}", file=sys.stderr, flush=True)

    def round(self, result: RoundResult) -> None:
        print(told(result), file=sys.stderr, flush=True)


def told(result: RoundResult) -> str:
    figures = result.figures
    good = "well" if not result.broken else f"BROKEN: {len(result.broken)} promises"
    return "\n".join(
        [
            f"round {result.number}: {good}; {len(result.struck)} faults, {figures.acknowledgements} acknowledgements, "
            f"{sum(figures.retries.values())} sent again, resumed in {result.quiet_seconds:.1f} s, "
            f"boards right in {result.settle_seconds:.1f} s, {result.seconds:.0f} s in all",
            *(f"    {line}" for line in result.broken),
        ]
    )


@contextmanager
def display(faults: int) -> Generator[Display]:
    """On standard error: standard output is the report's."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield Lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield Bar(progress, faults)
