"""Many coarse timers for the price of one: a hashed timing wheel (Varghese and Lauck, 1987)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TypeAlias

import structlog

log = structlog.get_logger()

Callback: TypeAlias = Callable[[], None]
# What is due in one tick is called in portions, so that thousands of heartbeats never hold up the loop.
PORTION = 500


class TimerWheel:
    """Calls back within one tick after the time asked for. It rests while nothing is scheduled."""

    def __init__(self, tick_seconds: float) -> None:
        self._tick_seconds = tick_seconds
        self._buckets: dict[int, set[Callback]] = {}
        self._running: asyncio.Handle | None = None
        self._done = 0

    def call_later(self, seconds: float, callback: Callback) -> int:
        """Schedule a call; the tick it returns is what `cancel` wants.

        The same callback twice in one tick is called once. A call may still come after `cancel` if its tick has begun.
        """
        loop = asyncio.get_running_loop()
        if self._running is None:
            self._done = int(loop.time() / self._tick_seconds)
            self._turn_at(loop, self._done + 1)
        tick = max(int((loop.time() + seconds) / self._tick_seconds) + 1, self._done + 1)
        self._buckets.setdefault(tick, set()).add(callback)
        return tick

    def cancel(self, tick: int, callback: Callback) -> None:
        """Forget a call. Nothing happens if it was made, or forgotten, already."""
        if bucket := self._buckets.get(tick):
            bucket.discard(callback)
            if not bucket:
                del self._buckets[tick]

    def close(self) -> None:
        """Forget every call."""
        self._buckets.clear()
        if self._running:
            self._running.cancel()
            self._running = None

    def _turn_at(self, loop: asyncio.AbstractEventLoop, tick: int) -> None:
        self._running = loop.call_at(tick * self._tick_seconds, self._turn)

    def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        now = int(loop.time() / self._tick_seconds)
        due: list[Callback] = []
        for tick in range(self._done + 1, now + 1):
            due += self._buckets.pop(tick, ())
        self._done = max(now, self._done)
        if due:
            self._call(iter(due))
        elif self._buckets:
            self._turn_at(loop, self._done + 1)
        else:
            self._running = None

    def _call(self, due: Iterator[Callback]) -> None:
        loop = asyncio.get_running_loop()
        called = 0
        for callback in due:
            try:
                callback()
            except Exception as error:
                log.error("timer.failed", exc_info=error)
            if (called := called + 1) == PORTION:
                self._running = loop.call_soon(self._call, due)
                return
        self._turn_at(loop, self._done + 1)
