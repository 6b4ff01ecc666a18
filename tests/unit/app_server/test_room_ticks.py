"""The loop that tells rooms, on a clock that stands still."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from tests.standing_clock import StandingClock
from tiebreak.app_server.room_ticks import RoomTicks
from tiebreak.ids import new_id
from tiebreak.quiz.model import QuizSessionId
from tiebreak.socket_adapter.tick_interval import interval_seconds


class Listener:
    """Runs the loop, and notes who was told when."""

    def __init__(self) -> None:
        self.clock = StandingClock()
        self.started_at = self.clock.monotonic()
        self.ticks = RoomTicks(self.clock, tell=self.tell, interval=self.interval)
        self.told: list[tuple[QuizSessionId, float]] = []
        self.lags: list[float] = []

    async def tell(self, due: Sequence[QuizSessionId]) -> None:
        self.told += [(it, round(self.clock.monotonic() - self.started_at, 3)) for it in due]

    def interval(self, _: QuizSessionId, lag_seconds: float) -> float:
        self.lags.append(lag_seconds)
        return interval_seconds(0, lag_seconds=lag_seconds)

    def times(self, room: QuizSessionId) -> list[float]:
        return [at for it, at in self.told if it == room]

    async def until(self, done: Callable[[], bool]) -> None:
        """Let the loop run until that is so."""
        async with asyncio.timeout(10):
            while not done():
                await asyncio.sleep(0)

    async def settled(self) -> None:
        """Wait until everything that is due now was told: a room that was quiet is told with it, or after it."""
        last = QuizSessionId(new_id())
        self.ticks.want(last)
        await self.until(lambda: bool(self.times(last)))


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[Listener, QuizSessionId]]:
    listener = Listener()
    loop = asyncio.create_task(listener.ticks.run())
    try:
        await listener.settled()
        yield listener, QuizSessionId(new_id())
    finally:
        loop.cancel()
        await asyncio.wait([loop])


async def test_the_first_change_is_told_at_once():
    """Though the clock does not move."""
    async with listening() as (listener, room):
        listener.ticks.want(room)
        await listener.settled()
        assert listener.times(room) == [0]


async def test_changes_without_end_are_told_once_in_an_interval():
    """Every hundredth of a second something new, every tenth it is told."""
    async with listening() as (listener, room):
        for _ in range(35):
            listener.ticks.want(room)
            await listener.settled()
            listener.clock.advance(seconds=0.01)
        assert listener.times(room) == [0, 0.1, 0.2, 0.3]


async def test_the_loop_sleeps_until_a_room_is_due():
    """The last change is told without anything that comes after it."""
    async with listening() as (listener, room):
        listener.ticks.want(room)
        await listener.settled()
        listener.ticks.want(room)
        await listener.settled()
        assert listener.times(room) == [0]
        listener.clock.advance(seconds=0.1)
        await listener.until(lambda: listener.times(room) == [0, 0.1])


@pytest.mark.parametrize(("late", "interval"), [(0.05, 0.2), (3.0, 1.0), (0.001, 0.1)])
async def test_a_loop_that_wakes_up_late_tells_less_often(late, interval):
    """It leaves rooms alone for several times its lag; once it wakes up in time again, no longer than it should."""
    async with listening() as (listener, room):
        waits = 0.1
        for lag, next_waits in ((late, interval), (0.001, 0.1)):
            listener.ticks.want(room)
            await listener.settled()
            listener.ticks.want(room)
            await listener.settled()
            told = len(listener.times(room))
            listener.clock.advance(seconds=waits + lag)
            await listener.until(lambda told=told: len(listener.times(room)) > told)
            assert listener.lags[-1] == pytest.approx(lag, abs=0.0015)
            waits = interval_seconds(0, lag_seconds=lag)
            assert waits == pytest.approx(next_waits, abs=0.01)


async def test_what_is_told_at_once_waits_for_nothing():
    """Not for the room's interval, waiting or not; what comes after it does again."""
    async with listening() as (listener, room):
        for waits in (False, True):
            listener.ticks.want(room)
            await listener.settled()
            told = len(listener.times(room))
            if waits:
                listener.ticks.want(room)
            listener.ticks.want(room, at_once=True)
            await listener.settled()
            assert len(listener.times(room)) == told + 1
            listener.ticks.want(room)
            await listener.settled()
            assert len(listener.times(room)) == told + 1
            listener.clock.advance(seconds=0.1)
            await listener.until(lambda told=told: len(listener.times(room)) == told + 2)
            listener.clock.advance(seconds=0.1)


async def test_everything_is_told_at_the_end():
    """Due or not."""
    async with listening() as (listener, room):
        listener.ticks.want(room)
        await listener.settled()
        listener.ticks.want(room)
        await listener.ticks.flush()
        assert listener.times(room) == [0, 0]
