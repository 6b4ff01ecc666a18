"""The display on a terminal: bars, and a table of figures below them."""

from __future__ import annotations

from collections.abc import Iterable
from time import perf_counter
from typing import TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from tiebreak.load_test.display import Now

# Drawing takes some milliseconds, which the players have to wait for.
DRAW_SECONDS = 0.5


class Bars(Progress):
    """rich's bars, with room for figures."""

    now: Now | None = None

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.now:
            table = Table.grid(padding=(0, 2))
            for label, figure in self.now.described():
                table.add_row(f"  [dim]{label}[/dim]", figure)
            yield table


class TerminalDisplay:
    """Live, and gone when it ends, except for the bars."""

    def __init__(self, stream: TextIO) -> None:
        self._bars = Bars(
            TextColumn("{task.description:<18}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(file=stream),
            auto_refresh=False,  # by a thread of rich's, at any moment
        )
        self._phase: TaskID | None = None
        self._drawn_at = 0.0

    def begin(self, title: str, steps: int) -> None:
        self._bars.start()
        self._bars.now = None
        self._phase = self._bars.add_task(title, total=steps)
        self._draw()

    def advance(self, steps: int = 1) -> None:
        if self._phase is not None:
            self._bars.advance(self._phase, steps)
        if perf_counter() - self._drawn_at >= DRAW_SECONDS:
            self._draw()

    def show(self, now: Now) -> None:
        self._bars.now = now
        self._draw()

    def end(self) -> None:
        self._bars.now = None
        self._draw()
        self._bars.stop()

    def _draw(self) -> None:
        self._drawn_at = perf_counter()
        self._bars.refresh()
