"""The loop that tells rooms when they are due."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from tiebreak.clock import Clock
from tiebreak.quiz.model import QuizSessionId
from tiebreak.socket_adapter.redis_streams.patience import end_if_cancelled
from tiebreak.socket_adapter.room_schedule import RoomSchedule


class RoomTicks:
    """Calls `tell` with all rooms that are due, and never twice at once.

    `tell` takes what there is to say before it first waits for anything: what comes later belongs to the next tick.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        tell: Callable[[Sequence[QuizSessionId]], Awaitable[None]],
        interval: Callable[[QuizSessionId, float], float],
    ) -> None:
        """`interval` gets a room and how late this loop woke up last, both in seconds."""
        self._clock = clock
        self._tell = tell
        self._interval = interval
        self._schedule = RoomSchedule()
        self._lag_seconds = 0.0
        self._earlier = asyncio.Event()
        self._sleeps_until = float("-inf")

    def want(self, quiz_session_id: QuizSessionId, *, at_once: bool = False) -> None:
        """There is something to tell this room: when its interval is over, or `at_once`."""
        now = self._clock.monotonic()
        if at_once:
            # It has nothing to rest from any more.
            self._schedule.told(quiz_session_id, now, 0.0)
        if self._schedule.want(quiz_session_id, now) < self._sleeps_until:
            self._earlier.set()

    async def run(self) -> None:
        """Tell rooms for ever."""
        while True:
            end_if_cancelled()
            now = self._clock.monotonic()
            if due := self._schedule.due(now):
                await self._tell_all(due, now)
            else:
                await self._sleep(now, self._schedule.next_at)

    async def flush(self) -> None:
        """Tell every room that waits, due or not."""
        await self._tell_all(list(self._schedule.waiting), self._clock.monotonic())

    async def _tell_all(self, due: Sequence[QuizSessionId], now: float) -> None:
        self._schedule.forget_rested(now)
        for quiz_session_id in due:
            self._schedule.told(quiz_session_id, now, self._interval(quiz_session_id, self._lag_seconds))
        if due:
            await self._tell(due)

    async def _sleep(self, now: float, until: float | None) -> None:
        """Until then, or until somebody is due before that; notice how late we wake up."""
        self._earlier.clear()
        self._sleeps_until = float("inf") if until is None else until
        earlier = asyncio.create_task(self._earlier.wait())
        timer = asyncio.create_task(self._clock.sleep(self._sleeps_until - now)) if until is not None else earlier
        try:
            await asyncio.wait({earlier, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            earlier.cancel()
            timer.cancel()
        if until is not None and timer.done():
            self._lag_seconds = max(0.0, self._clock.monotonic() - until)
        self._sleeps_until = float("-inf")
