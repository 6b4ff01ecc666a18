"""A clock that moves when told to."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class StandingClock:
    """Wall and monotonic time in one; waiting lasts until somebody sets the clock far enough."""

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self._now_ms = now_ms
        self._moved = asyncio.Event()

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._now_ms / 1000

    def sleep(self, seconds: float) -> Coroutine[Any, Any, None]:
        """From the moment of the call, though the task that waits may begin later."""
        return self._until(self._now_ms + round(seconds * 1000))

    async def _until(self, then_ms: int) -> None:
        while self._now_ms < then_ms:
            await self._moved.wait()

    def advance(self, *, days: int = 0, minutes: int = 0, seconds: float = 0) -> None:
        self._now_ms += round(((days * 24 * 60 + minutes) * 60 + seconds) * 1000)
        self._moved.set()
        self._moved = asyncio.Event()
