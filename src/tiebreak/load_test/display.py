"""What is to be seen while a load test runs."""

from __future__ import annotations

from time import perf_counter
from typing import Protocol, TextIO

import msgspec

from tiebreak.load_test.summary import shown

PLAIN_LINE_SECONDS = 5.0


class Now(msgspec.Struct, frozen=True):
    """The last second of a run, and what has gone wrong so far."""

    per_second: float
    ack_p50_ms: float | None
    ack_p99_ms: float | None
    board_p50_ms: float | None
    board_p99_ms: float | None
    under_way: int
    retries: int
    failed: int

    def described(self) -> list[tuple[str, str]]:
        """Labels and figures."""
        return [
            ("acknowledged", f"{self.per_second:.0f}/s"),
            ("answer → ack", f"{shown(self.ack_p50_ms)} p50, {shown(self.ack_p99_ms)} p99"),
            ("answer → seen", f"{shown(self.board_p50_ms)} p50, {shown(self.board_p99_ms)} p99"),
            ("under way", str(self.under_way)),
            ("sent again", str(self.retries)),
            ("failed", str(self.failed)),
        ]


class Display(Protocol):
    """Phases, one after the other, each with so many steps."""

    def begin(self, title: str, steps: int) -> None: ...
    def advance(self, steps: int = 1) -> None: ...
    def show(self, now: Now) -> None: ...
    def end(self) -> None: ...


class PlainDisplay:
    """A line every few seconds and at the end of each phase, for logs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._title = ""
        self._steps = self._done = 0
        self._now: Now | None = None
        self._said_at = 0.0

    def begin(self, title: str, steps: int) -> None:
        self.end()
        self._title, self._steps, self._done, self._now = title, steps, 0, None
        self._said_at = perf_counter()

    def advance(self, steps: int = 1) -> None:
        self._done += steps
        self._say_sometimes()

    def show(self, now: Now) -> None:
        self._now = now
        self._say_sometimes()

    def end(self) -> None:
        if self._title:
            self._say()
            self._title = ""

    def _say_sometimes(self) -> None:
        if perf_counter() - self._said_at >= PLAIN_LINE_SECONDS:
            self._say()

    def _say(self) -> None:
        self._said_at = perf_counter()
        figures = "".join(f"; {label} {figure}" for label, figure in self._now.described()) if self._now else ""
        print(f"{self._title}: {self._done} of {self._steps}{figures}", file=self._stream, flush=True)
