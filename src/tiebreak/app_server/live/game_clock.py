"""One clock for all app servers, the database's: questions open and close by it, and answers are timed by it."""

from __future__ import annotations

from collections import deque

from tiebreak.clock import Clock

SAMPLES = 16


class GameClock:
    """The machine's clock, put right by what the database said of its own (Cristian 1989).

    Of the last SAMPLES the one that was answered soonest counts: half of the time it took is the most it is wrong by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # How long the answer took, and how far the database is ahead of us, in ms.
        self._samples: deque[tuple[float, float]] = deque(maxlen=SAMPLES)
        self._ahead_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, by the database's clock."""
        return self._clock.now_ms() + self._ahead_ms

    def monotonic(self) -> float:
        """This machine's: only differences mean anything."""
        return self._clock.monotonic()

    def heard(self, database_ms: float, asked_at: float) -> None:
        """The database said `database_ms` when it was asked at `asked_at` (Clock.monotonic)."""
        took_ms = (self._clock.monotonic() - asked_at) * 1000
        ahead_ms = database_ms + took_ms / 2 - self._clock.now_ms()
        if self._samples and abs(ahead_ms - self._ahead_ms) > took_ms + self._samples[-1][0] + 1_000:
            # A clock was set: what was known before is worth nothing.
            self._samples.clear()
        self._samples.append((took_ms, ahead_ms))
        self._ahead_ms = round(min(self._samples)[1])
