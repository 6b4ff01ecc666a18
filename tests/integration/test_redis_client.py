"""What redis-py and uvloop make of a lost connection, in our words."""

import asyncio

import pytest
import uvloop

from tiebreak.errors import CacheUnavailable
from tiebreak.redis_client import OUTAGES, Redis, ResponseError, open_redis, when_it_answers


async def lost_while_idle(redis: Redis) -> None:
    """A connection that is gone when the next command is written to it."""
    connection = await redis.connection_pool.get_connection()
    connection._writer.transport.abort()
    async with asyncio.timeout(5):
        while not connection._writer.transport.is_closing() or connection._reader.at_eof():
            await asyncio.sleep(0)
    await asyncio.sleep(0)  # uvloop closes its handle a turn later
    try:
        await connection.send_command("GET", "anything", check_health=False)
    finally:
        await connection.disconnect()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_connection_lost_before_a_command_is_an_outage(valkey_url, loop):
    """On every loop it is what callers retry after, never an error that ends a worker."""

    async def tried() -> None:
        redis = await open_redis(valkey_url, retries=0)
        with pytest.raises(OUTAGES):
            await lost_while_idle(redis)
        await redis.aclose()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(tried())


async def test_start_waits_for_a_redis_that_cannot_write():
    """A full disk (MISCONF), say: it goes on as soon as that is over, and gives up with a word of what to do."""
    tries = 0

    async def start() -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ResponseError("MISCONF Errors writing to the AOF file: No space left on device")

    await when_it_answers(start, seconds=10)
    assert tries == 3
    tries = 0
    with pytest.raises(CacheUnavailable, match="TIEBREAK_REDIS_URL"):
        await when_it_answers(start, seconds=0)
