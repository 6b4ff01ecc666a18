"""Counts that anybody may ask for, as often as they like."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from tests.scene import Scene, opened_pool
from tests.standing_clock import StandingClock
from tiebreak.app_server.session_counts import MAX_SESSIONS, CountedSessions
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import QuizSession, load_session
from tiebreak.ids import new_id
from tiebreak.quiz.model import QuizSessionId, UserId


class WatchedPool:
    """A pool that notes how often it was asked, and for how many sessions."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.asked: list[int] = []

    async def fetch(self, query: str, ids: list[QuizSessionId]) -> Any:
        self.asked.append(len(ids))
        return await self._pool.fetch(query, ids)


class Hall:
    """Where sessions are counted."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.watched = WatchedPool(pool)
        self.clock = StandingClock()
        self.counted = CountedSessions(self.watched, self.clock)

    async def answers(self, *scenes: Scene) -> list[int]:
        sessions = [await load_session(self.pool, scene.session_id) for scene in scenes]
        return [counts.answer_count for counts in await self.counted.of([it for it in sessions if it])]


@asynccontextmanager
async def hall(database_url: str) -> AsyncIterator[Hall]:
    async with opened_pool(database_url) as pool:
        yield Hall(pool)


async def answer(scene: Scene) -> None:
    user, _ = await scene.player()
    await scene.answer(user, 0)


async def test_counts_are_right_after_a_second(database_url):
    """Within the second they may be those from before."""
    async with hall(database_url) as it:
        scene = await Scene.set(it.pool)
        assert await it.answers(scene) == [0]
        await answer(scene)
        it.clock.advance(seconds=0.99)
        assert await it.answers(scene) == [0]
        it.clock.advance(seconds=0.01)
        assert await it.answers(scene) == [1]
        assert it.watched.asked == [1, 1]


async def test_a_crowd_that_asks_is_one_question(database_url):
    """A hundred at once, for one session or for several: each session is counted once."""
    async with hall(database_url) as it:
        one, two = await Scene.set(it.pool), await Scene.set(it.pool)
        await answer(two)
        asking = [it.answers(one), it.answers(two, one), it.answers(one, two)] * 33
        outcomes = await asyncio.gather(*asking)
        assert outcomes == [[0], [1, 0], [0, 1]] * 33
        assert sum(it.watched.asked) == 2


async def test_a_failure_is_not_remembered(database_url):
    """The next one who asks gets the counts, in the same moment."""
    async with hall(database_url) as it:
        scene = await Scene.set(it.pool)
        await it.pool.execute("ALTER TABLE participant_answers RENAME TO elsewhere")
        with pytest.raises(asyncpg.UndefinedTableError):
            await it.answers(scene)
        await it.pool.execute("ALTER TABLE elsewhere RENAME TO participant_answers")
        assert await it.answers(scene) == [0]


async def test_not_more_is_remembered_than_there_is_room_for(database_url):
    """The session counted longest ago makes room for new ones."""
    async with hall(database_url) as it:
        sessions = [session() for _ in range(MAX_SESSIONS)]
        for first in range(0, MAX_SESSIONS, 50):
            await it.counted.of(sessions[first : first + 50])
        asked = len(it.watched.asked)
        await it.counted.of([sessions[0]])
        assert len(it.watched.asked) == asked
        await it.counted.of([session()])
        await it.counted.of([sessions[1]])
        assert len(it.watched.asked) == asked + 1
        await it.counted.of([sessions[0]])
        assert len(it.watched.asked) == asked + 2


def session() -> QuizSession:
    """One that nobody has joined."""
    return QuizSession(
        id=QuizSessionId(new_id()),
        host_id=UserId(new_id()),
        title="",
        language="en",
        pin="000000",
        mode="self_paced",
        state="open",
        opened_at=datetime.now(UTC),
        closed_at=None,
    )
