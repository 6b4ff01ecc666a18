"""Connections of the hot path: with whom they are, what they stand, and that no other statement needs them."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from tiebreak.database import hot_connections
from tiebreak.database import pool as pool_module
from tiebreak.database.pool import OUTAGES, Pool, open_pool

PID = "SELECT pg_backend_pid() AS pid"
SLOW_PID = "SELECT pg_backend_pid() AS pid, pg_sleep(0.1)"
ENDLESS = "SELECT pg_backend_pid() AS pid, pg_sleep(1000)"
RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE query = $1 AND state = 'active'"


@asynccontextmanager
async def hot_pool(database_url: str, size: int = 6) -> AsyncIterator[Pool]:
    """With two connections for the hot path, as an app server's."""
    pool = await open_pool(database_url, size=size, hot=2)
    try:
        yield pool
    finally:
        async with asyncio.timeout(10):
            await pool.close()


async def hot_pid(pool: Pool, statement: str = PID) -> int:
    [row] = await pool.fetch_hot(statement)
    pid: int = row["pid"]
    return pid


async def hot_pids(pool: Pool, number: int) -> set[int]:
    """Of so many calls at once."""
    return set(await asyncio.gather(*[hot_pid(pool, SLOW_PID) for _ in range(number)]))


async def pids(pool: Pool, number: int) -> set[int]:
    """Of so many others at once."""
    return set(await asyncio.gather(*[pool.fetchval(SLOW_PID) for _ in range(number)]))


async def end(pool: Pool, pids: Iterable[int]) -> None:
    """Have Postgres end these connections, and wait until asyncpg has heard of it."""
    for pid in pids:
        await pool.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    await asyncio.sleep(0.05)


async def running(pool: Pool, statement: str) -> None:
    """It is under way."""
    async with asyncio.timeout(5):
        while not await pool.fetchval(RUNNING, statement):
            await asyncio.sleep(0.01)


async def nothing_runs(pool: Pool, statement: str) -> None:
    """Postgres has heard that it need not go on."""
    async with asyncio.timeout(5):
        while await pool.fetchval(RUNNING, statement):
            await asyncio.sleep(0.01)


async def test_hot_path_has_its_connection_for_itself(database_url):
    """Whatever is done meanwhile, none of it takes that connection."""
    async with hot_pool(database_url) as pool:
        first = await hot_pid(pool)
        for _ in range(3):
            assert first not in await pids(pool, 4)
            assert await hot_pid(pool) == first


async def test_as_many_as_there_are_batches_at_once(database_url):
    """A third call goes to those that all share."""
    async with hot_pool(database_url) as pool:
        shared = await pids(pool, 4)
        assert len(shared) == 4
        assert len(await hot_pids(pool, 3) - shared) == 2
        assert len(await hot_pids(pool, 2) - shared) == 2


@pytest.mark.parametrize("size", [1, 2])
async def test_smallest_pools(database_url, size):
    """One connection is for all else, and the hot path gets on with what there is."""
    async with hot_pool(database_url, size=size) as pool, asyncio.timeout(10):
        used = await hot_pids(pool, 3) | await pids(pool, 3)
        assert len(used) == size


async def test_lost_connection_is_replaced_before_it_is_used(database_url):
    """Postgres was restarted: the next call does not hear of it."""
    async with hot_pool(database_url) as pool:
        lost = await hot_pids(pool, 2)
        await end(pool, lost)
        assert len(await hot_pids(pool, 2) - lost) == 2


async def test_connection_that_is_lost_in_use(database_url):
    """An outage, and the next call has another one."""
    async with hot_pool(database_url) as pool:
        lost = await hot_pid(pool)
        under_way = asyncio.create_task(hot_pid(pool, ENDLESS))
        await running(pool, ENDLESS)
        await end(pool, [lost])
        with pytest.raises(OUTAGES):
            await under_way
        assert await hot_pid(pool) != lost


@pytest.mark.parametrize(("state", "same"), [("23505", True), ("25006", False), ("57P01", False)])
async def test_connection_whose_statement_failed(database_url, state, same):
    """It is used again, but not where Postgres went away or was demoted behind it: another one may find the new one."""
    async with hot_pool(database_url) as pool:
        first = await hot_pid(pool)
        with pytest.raises(asyncpg.PostgresError):
            await pool.fetch_hot(f"DO $$ BEGIN RAISE EXCEPTION 'away' USING ERRCODE = '{state}'; END $$")
        assert (await hot_pid(pool) == first) is same


async def test_statement_whose_time_is_over(database_url, monkeypatch):
    """TimeoutError for it alone, and Postgres is told to stop. Who began later has his own time."""
    monkeypatch.setattr(pool_module, "STATEMENT_SECONDS", 1.6)
    async with hot_pool(database_url) as pool, asyncio.timeout(30):
        await hot_pids(pool, 2)
        for _ in range(2):
            endless = asyncio.create_task(hot_pid(pool, ENDLESS))
            await asyncio.sleep(0.8)
            slow = asyncio.create_task(hot_pid(pool, "SELECT pg_backend_pid() AS pid, pg_sleep(1.2)"))
            with pytest.raises(TimeoutError, match=r"Postgres has not answered within 1\.6 s"):
                await endless
            assert not slow.done()
            assert await slow
            await nothing_runs(pool, ENDLESS)
            await hot_pids(pool, 2)


async def test_statement_that_nobody_waits_for(database_url):
    """Cancelled, as at the end of a process: Postgres is told to stop, and the next call finds a connection."""
    async with hot_pool(database_url) as pool, asyncio.timeout(10):
        for _ in range(3):
            under_way = asyncio.create_task(hot_pid(pool, ENDLESS))
            await running(pool, ENDLESS)
            under_way.cancel()
            with pytest.raises(asyncio.CancelledError):
                await under_way
            await nothing_runs(pool, ENDLESS)
        assert len(await hot_pids(pool, 2)) == 2


@pytest.mark.parametrize("first", ["others", "the watch"])
async def test_cancelled_when_its_time_is_over(database_url, first):
    """By somebody else, in the same moment: who cancels is obeyed."""
    async with hot_pool(database_url) as pool, asyncio.timeout(10):
        under_way = asyncio.create_task(hot_pid(pool, ENDLESS))
        await running(pool, ENDLESS)
        pool._hot._statement_seconds = 0
        if first == "others":
            under_way.cancel()
        pool._hot._give_up()
        if first == "the watch":
            under_way.cancel()
        with pytest.raises(asyncio.CancelledError):
            await under_way


async def test_connection_that_has_long_been_idle(database_url, monkeypatch):
    """What lies between us and Postgres may have forgotten it: another one is used."""
    monkeypatch.setattr(hot_connections, "LONGEST_IDLE_SECONDS", 0.1)
    async with hot_pool(database_url) as pool:
        old = await hot_pids(pool, 2)
        await asyncio.sleep(0.2)
        assert len(await hot_pids(pool, 2) - old) == 2


async def test_pool_can_be_closed(database_url):
    """With those that are idle, and one that is in use at that moment; then there are none any more."""
    async with hot_pool(database_url) as pool:
        idle = await hot_pids(pool, 2)
        under_way = asyncio.create_task(hot_pid(pool, SLOW_PID))
        await asyncio.sleep(0.02)
        async with asyncio.timeout(5):
            await pool.close()
        assert under_way.done()
        assert await under_way in idle
        with pytest.raises(OUTAGES):
            await pool.fetch_hot(PID)
    async with hot_pool(database_url) as other:
        assert not await other.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY($1)", list(idle))


async def test_pool_whose_closing_takes_too_long(database_url):
    """Nothing is waited for any more: who has a statement under way hears of an outage."""
    async with hot_pool(database_url) as pool, asyncio.timeout(10):
        under_way = asyncio.create_task(hot_pid(pool, ENDLESS))
        await running(pool, ENDLESS)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await pool.close()
        with pytest.raises(OUTAGES):
            await under_way
        with pytest.raises(OUTAGES):
            await pool.fetch_hot(PID)


async def test_pool_that_is_closed_while_it_opens_a_connection(database_url):
    """The connection is closed, too, and its statement not carried out."""
    async with hot_pool(database_url) as pool, asyncio.timeout(10):
        opening = asyncio.create_task(hot_pid(pool))
        await asyncio.sleep(0)
        assert not opening.done()
        await pool.close()
        with pytest.raises(OUTAGES):
            await opening
