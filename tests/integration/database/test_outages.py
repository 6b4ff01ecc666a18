"""What Postgres and asyncpg raise while the database cannot do its work, in our words."""

import asyncio
import threading

import asyncpg
import pytest
import uvloop

from tests.scene import opened_pool
from tiebreak.database import pool as pool_module
from tiebreak.database.pool import OUTAGES

TURNS = range(6)


def terminate(database_url: str, pid: int) -> None:
    """From another thread, so that whoever is terminated hears of it all at once, later."""

    async def terminated() -> None:
        connection = await asyncpg.connect(database_url)
        await connection.execute("SELECT pg_terminate_backend($1, 5000)", pid)
        await connection.close()

    thread = threading.Thread(target=lambda: asyncio.run(terminated()))
    thread.start()
    thread.join()


async def test_nobody_waits_for_a_connection_for_ever(database_url, monkeypatch):
    """All are in use by statements that do not end: who comes is told so, and is no worse off afterwards."""
    monkeypatch.setattr(pool_module, "FREE_SECONDS", 0.05)
    async with opened_pool(database_url, size=1) as pool:
        async with pool.acquire():
            for attempt in (pool.fetchval("SELECT 1"), pool.fetch_hot("SELECT 1")):
                with pytest.raises(OUTAGES):
                    await attempt
        assert await pool.fetchval("SELECT 1") == 1


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_connection_that_the_server_ends_is_an_outage(database_url, loop):
    """Whenever it is used: before its last words are read, after them, and after its end."""

    async def tried() -> None:
        for turns in TURNS:
            connection = await asyncpg.connect(database_url)
            await connection.fetchval("SELECT 1")
            terminate(database_url, connection.get_server_pid())
            for _ in range(turns):
                await asyncio.sleep(0)
            with pytest.raises(OUTAGES):
                await connection.fetchval("SELECT 1")
            connection.terminate()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(tried())


async def test_read_only_database_is_an_outage(database_url):
    """Demoted by a failover, or set so by whoever runs it: later it may work."""
    async with opened_pool(database_url, size=1) as pool:
        await pool.execute("SET default_transaction_read_only = on")
        with pytest.raises(OUTAGES):
            await pool.execute("INSERT INTO users (id, kind, name) VALUES (gen_random_uuid(), 'guest', 'Ann')")


@pytest.mark.parametrize("state", ["53100", "53200", "53300", "57P01", "57P03", "58030", "25006"])
async def test_servers_want_of_room_is_an_outage(database_url, state):
    """Disk full, out of memory, too many connections, going, starting, a file not read, read-only: no error of ours."""
    async with opened_pool(database_url, size=1) as pool:
        with pytest.raises(OUTAGES):
            await pool.execute(f"DO $$ BEGIN RAISE EXCEPTION 'away' USING ERRCODE = '{state}'; END $$")
