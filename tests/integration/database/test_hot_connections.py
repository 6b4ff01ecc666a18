"""Connections that a pool keeps for the hot path: with whom they are, and that they are never missing elsewhere."""

import asyncio
from collections.abc import Iterable

import asyncpg
import pytest

from tests.scene import opened_pool
from tiebreak.database import pool as pool_module
from tiebreak.database.pool import OUTAGES, Pool

PID = "SELECT pg_backend_pid() AS pid"
SLOW_PID = "SELECT pg_backend_pid() AS pid, pg_sleep(0.1)"


async def hot_pid(pool: Pool, statement: str = PID) -> int:
    [row] = await pool.fetch_hot(statement)
    pid: int = row["pid"]
    return pid


async def hot_pids(pool: Pool, number: int) -> list[int]:
    """Of so many calls at once."""
    return await asyncio.gather(*[hot_pid(pool, SLOW_PID) for _ in range(number)])


async def pids(pool: Pool, number: int) -> list[int]:
    """Of so many others at once: OUTAGES where they are not to be had."""
    return await asyncio.gather(*[pool.fetchval(SLOW_PID) for _ in range(number)])


async def end(database_url: str, pids: Iterable[int]) -> None:
    """Have Postgres end these connections, and wait until asyncpg has heard of it."""
    killer = await asyncpg.connect(database_url)
    await killer.executemany("SELECT pg_terminate_backend($1, 5000)", [(pid,) for pid in pids])
    await killer.close()
    await asyncio.sleep(0.05)


async def test_hot_path_keeps_its_connection(database_url):
    """Whatever is done meanwhile, none of it takes that connection."""
    async with opened_pool(database_url) as pool:
        kept = await hot_pid(pool)
        for _ in range(3):
            assert kept not in await pids(pool, 3)
            assert await hot_pid(pool) == kept


async def test_as_many_are_kept_as_there_are_batches_at_once(database_url):
    """A third is used and given back."""
    async with opened_pool(database_url, size=6) as pool:
        first = set(await hot_pids(pool, 3))
        others = set(await pids(pool, 4))
        assert len(others) == 4
        assert len(first - others) == 2
        assert set(await hot_pids(pool, 2)) == first - others


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_what_is_kept_is_missing_to_nobody(database_url, monkeypatch, size):
    """Who would have to wait gets it at once."""
    monkeypatch.setattr(pool_module, "FREE_SECONDS", 0.5)
    async with opened_pool(database_url, size=size) as pool:
        await hot_pids(pool, size)
        async with asyncio.timeout(5):
            assert len(set(await pids(pool, size))) == size


async def test_connection_that_somebody_waits_for_is_not_kept(database_url):
    """Be it for another statement of the hot path, or for any other, while all are in use."""
    async with opened_pool(database_url, size=2) as pool, pool.acquire():
        for other in (pool.fetch_hot(PID), pool.fetchval(PID)):
            under_way = asyncio.create_task(hot_pid(pool, SLOW_PID))
            await asyncio.sleep(0.02)
            async with asyncio.timeout(5):
                await other
            await under_way


async def test_lost_connection_is_replaced_before_it_is_used(database_url):
    """Postgres was restarted: the next call does not hear of it, and the pool is whole."""
    async with opened_pool(database_url, size=4) as pool:
        lost = set(await hot_pids(pool, 2))
        await end(database_url, lost)
        assert await hot_pid(pool) not in lost
        assert len(set(await hot_pids(pool, 2) + await pids(pool, 2))) == 4


async def test_failed_statement_gives_its_connection_back(database_url):
    """The pool looks at it before anybody uses it again."""
    async with opened_pool(database_url, size=1) as pool:
        kept = await hot_pid(pool)
        with pytest.raises(asyncpg.DivisionByZeroError):
            await pool.fetch_hot("SELECT 1 / $1::int", 0)
        assert pool._kept == []
        assert await pool.fetchval(PID) == kept


async def test_statement_that_is_given_up_leaves_the_pool_whole(database_url):
    """Cancelled, as at the end of a process, or out of time."""
    async with opened_pool(database_url, size=1) as pool:
        await hot_pid(pool)
        with pytest.raises(OUTAGES):
            async with asyncio.timeout(0.05):
                await pool.fetch_hot("SELECT pg_sleep(30)")
        async with asyncio.timeout(5):
            assert await pool.fetchval("SELECT 1") == 1
            assert await hot_pid(pool)


async def test_pool_looks_after_them_now_and_then(database_url, monkeypatch):
    """It has them back when their time is over; then others may take them, until they are kept again."""
    monkeypatch.setattr(pool_module, "KEPT_SECONDS", 0.05)
    async with opened_pool(database_url, size=2) as pool:
        for _ in range(2):
            kept = await hot_pid(pool)
            assert await pool.fetchval(PID) != kept
            await asyncio.sleep(0.2)
            assert await pool.fetchval(PID) == kept


async def test_pool_that_keeps_some_can_be_closed(database_url):
    """Those that are kept, and one that is in use at that moment."""
    async with opened_pool(database_url) as pool:
        await hot_pids(pool, 2)
        under_way = asyncio.create_task(hot_pid(pool, SLOW_PID))
        await asyncio.sleep(0.02)
        async with asyncio.timeout(5):
            await pool.close()
        assert await under_way
