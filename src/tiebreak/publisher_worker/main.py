"""The process: opens its parts, relays, closes them in reverse order."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from tiebreak.clock import SystemClock
from tiebreak.database.outbox import Outbox
from tiebreak.database.pool import open_pool
from tiebreak.event_bus.choice import opened_bus
from tiebreak.ids import new_id
from tiebreak.publisher_worker.relay import LEASE_SECONDS, Relay
from tiebreak.settings import Settings, required


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Publish until `stop` is set. The database must have been migrated."""
    database_url = required(settings.database_url, "TIEBREAK_DATABASE_URL")
    async with AsyncExitStack() as closing:
        pool = await open_pool(database_url, size=2)
        closing.push_async_callback(pool.close)
        bus = await closing.enter_async_context(opened_bus(settings))
        producer = await bus.producer()
        closing.push_async_callback(producer.close)
        outbox = Outbox(pool, new_id(), lease_seconds=LEASE_SECONDS)
        await Relay(outbox, producer, SystemClock()).run(stop)
