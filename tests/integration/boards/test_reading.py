"""Boards that are missing for a whole room at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from tests.integration.cache.boards import boards_of
from tests.scene import Scene, opened_pool
from tiebreak.database.pool import Pool
from tiebreak.quiz.ranking import Leaderboard
from tiebreak.redis_client import Redis, open_redis


class Room:
    """A session with one answer in the ledger, and no board."""

    def __init__(self, pool: Pool, redis: Redis, scene: Scene) -> None:
        self.pool = pool
        self.boards = boards_of(pool, redis)
        self._redis = redis
        self._scene = scene

    async def ask(self, times: int) -> list[asyncio.Task[Leaderboard]]:
        """So many who have seen that there is no board."""
        before = await self.lua_calls()
        tasks = [asyncio.create_task(self.boards.top(self._scene.session_id)) for _ in range(times)]
        async with asyncio.timeout(20):
            while await self.lua_calls() < before + times:
                await asyncio.sleep(0)
        return tasks

    async def lua_calls(self) -> int:
        """How many times a board was read or written."""
        statistics = (await self._redis.info("commandstats")).get("cmdstat_evalsha", {"calls": 0})
        return statistics["calls"]


@asynccontextmanager
async def room(database_url: str, redis_url: str) -> AsyncIterator[Room]:
    """Its pool has one connection: who holds it, holds up every rebuild."""
    redis = await open_redis(redis_url)
    async with opened_pool(database_url, size=1) as pool:
        known, scene = await Scene.set(pool), await Scene.set(pool)
        for each in (known, scene):
            user, _ = await each.player()
            await each.answer(user, 0)
        # Redis knows both scripts from here on.
        await boards_of(pool, redis).top(known.session_id)
        await redis.config_resetstat()
        yield Room(pool, redis, scene)
    await redis.aclose()


async def test_a_missing_board_is_built_once(database_url, redis_url):
    """A thousand phones ask at once: each reads twice, and one builds."""
    async with room(database_url, redis_url) as it:
        async with it.pool.acquire():
            tasks = await it.ask(1_000)
        boards = await asyncio.gather(*tasks)
        assert {(board.version, board.rows[0].score) for board in boards} == {(1, 100)}
        # Begun, filled, read and sent to the room.
        assert await it.lua_calls() == 1_000 + 4 + 1_000


async def test_a_rebuild_that_failed_is_tried_again(database_url, redis_url):
    """Those who waited for it are told; the next one gets the board."""
    async with room(database_url, redis_url) as it:
        await it.pool.execute("ALTER TABLE participant_answers RENAME TO elsewhere")
        async with it.pool.acquire():
            tasks = await it.ask(3)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {asyncpg.UndefinedTableError}
        await it.pool.execute("ALTER TABLE elsewhere RENAME TO participant_answers")
        [task] = await it.ask(1)
        assert (await task).rows[0].score == 100


async def test_who_goes_away_takes_the_board_from_nobody(database_url, redis_url):
    """The connection of the first one breaks while the board is built."""
    async with room(database_url, redis_url) as it:
        async with it.pool.acquire():
            [first] = await it.ask(1)
            [second] = await it.ask(1)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
        assert (await second).rows[0].score == 100
