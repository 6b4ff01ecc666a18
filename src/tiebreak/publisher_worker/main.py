"""The process: opens its parts, relays, closes them in reverse order."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial

import structlog
from prometheus_client import CollectorRegistry

from tiebreak.clock import Clock, SystemClock
from tiebreak.database.outbox import Nudges, Outbox
from tiebreak.database.pool import FAILURES, OUTAGES, can_write, open_pool
from tiebreak.event_bus.choice import opened_bus
from tiebreak.http_edge.health import Check, Doctor, serve_health
from tiebreak.http_edge.liveness import goes_round
from tiebreak.ids import new_id
from tiebreak.metrics import PublisherMetrics
from tiebreak.publisher_worker.relay import LEASE_SECONDS, Relay
from tiebreak.settings import Settings, required

log = structlog.get_logger()


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Publish until `stop` is set. The database must have been migrated."""
    database_url = required(settings.database_url, "TIEBREAK_DATABASE_URL")
    async with AsyncExitStack() as closing:
        pool = await open_pool(database_url, size=3)
        closing.push_async_callback(pool.close)
        bus = await closing.enter_async_context(opened_bus(settings))
        producer = await bus.producer()
        closing.push_async_callback(producer.close)
        clock = SystemClock()
        registry = CollectorRegistry()
        outbox = Outbox(pool, new_id(), lease_seconds=LEASE_SECONDS)
        relay = Relay(outbox, producer, clock, PublisherMetrics(registry))
        nudges = Nudges(database_url, relay.nudge)
        closing.push_async_callback(nudges.close)
        checks: dict[str, Check] = {
            "database": partial(can_write, pool),
            "bus": bus.ping,
            "relay": partial(goes_round, relay, clock),
        }
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(keep_listening(nudges, clock))
            group.create_task(serve_health(Doctor(checks, registry, stop), settings, stop, outages=OUTAGES))
            await relay.run(stop)
            listening.cancel()


async def keep_listening(nudges: Nudges, clock: Clock) -> None:
    """Hear nudges, again after each loss of the connection; until then the relay polls."""
    while True:
        try:
            await nudges.listen()
        except FAILURES as error:
            log.info("relay.nudges_unheard", error=str(error))
        await clock.sleep(1.0)
