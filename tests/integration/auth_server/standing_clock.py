"""A clock that moves when told to."""

from __future__ import annotations

import asyncio


class StandingClock:
    """Wall and monotonic time in one; waiting lasts until somebody sets the clock far enough."""

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self._now_ms = now_ms
        self._moved = asyncio.Event()

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._now_ms / 1000

    async def sleep(self, seconds: float) -> None:
        until = self._now_ms + seconds * 1000
        while self._now_ms < until:
            await self._moved.wait()

    def advance(self, *, minutes: int = 0, days: int = 0, seconds: int = 0) -> None:
        self._now_ms += ((days * 24 * 60 + minutes) * 60 + seconds) * 1000
        self._moved.set()
        self._moved = asyncio.Event()
