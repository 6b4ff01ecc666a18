"""The relay while Postgres answers and does not do its work: it waits, publishes later, and leaves in peace."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from tests.scene import Scene, opened_pool
from tiebreak.clock import SystemClock
from tiebreak.database.outbox import Outbox, outbox_depth
from tiebreak.database.pool import Pool
from tiebreak.event_bus.streams import StreamsBus
from tiebreak.ids import new_id
from tiebreak.metrics import PublisherMetrics
from tiebreak.publisher_worker.relay import Relay
from tiebreak.redis_client import open_redis


@pytest.fixture
async def redis(redis_url):
    redis = await open_redis(redis_url)
    yield redis
    await redis.aclose()


async def set_for_all(pool: Pool, setting: str) -> None:
    """For every transaction that begins from now on on the pool's only connection."""
    await pool.execute(f"SET {setting}")


@asynccontextmanager
async def running(pool: Pool, redis):
    """A relay at work; told to stop at the end, and waited for."""
    producer = await StreamsBus(redis, partitions=1, retention_hours=1).producer()
    outbox = Outbox(pool, new_id(), lease_seconds=60)
    relay = Relay(outbox, producer, SystemClock(), PublisherMetrics(CollectorRegistry()))
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    try:
        yield task
    finally:
        stop.set()
        relay.nudge()
        async with asyncio.timeout(10):
            await task


async def emptied(pool: Pool, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while await outbox_depth(pool):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("want", ["default_transaction_read_only = on", "search_path = nowhere"])
async def test_events_wait_until_postgres_works(database_url, redis, want):
    """Read-only, or with an error that is nobody's outage: nothing is lost and the worker goes on by itself."""
    async with opened_pool(database_url, size=2) as ours, opened_pool(database_url, size=1) as its:
        scene = await Scene.set(ours)
        user, _ = await scene.player()
        await set_for_all(its, want)
        async with running(its, redis) as task:
            await scene.answer(user, 0)
            await asyncio.wait({task}, timeout=0.5)
            assert not task.done()
            assert await outbox_depth(ours) == 1
            await set_for_all(its, want.partition(" ")[0] + " = default")
            await emptied(ours)


async def test_worker_that_cannot_say_that_it_leaves(database_url, redis):
    """It ends well all the same: others take over when its leases have run out."""
    async with opened_pool(database_url, size=2) as ours, opened_pool(database_url, size=1) as its:
        scene = await Scene.set(ours)
        user, _ = await scene.player()
        async with running(its, redis):
            await scene.answer(user, 0)
            await emptied(ours)
            await set_for_all(its, "default_transaction_read_only = on")
