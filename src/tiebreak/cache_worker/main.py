"""The process: opens its parts, projects, closes them in reverse order."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from prometheus_client import CollectorRegistry

from tiebreak.cache.incarnation import Incarnations
from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.cache.wanted_boards import WantedBoards
from tiebreak.cache_worker.projection import Projection
from tiebreak.clock import SystemClock
from tiebreak.event_bus.choice import opened_bus
from tiebreak.events import TOPIC
from tiebreak.http_edge.health import Check, Doctor, serve_health
from tiebreak.http_edge.liveness import goes_round
from tiebreak.metrics import CacheWorkerMetrics
from tiebreak.redis_client import OUTAGES, open_redis
from tiebreak.settings import Settings, required
from tiebreak.socket_adapter.emitter import Emitter

GROUP = "leaderboard"


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Keep boards up to date until `stop` is set."""
    redis_url = required(settings.redis_url, "TIEBREAK_REDIS_URL")
    async with AsyncExitStack() as closing:
        redis = await open_redis(redis_url)
        closing.push_async_callback(redis.aclose)
        bus = await closing.enter_async_context(opened_bus(settings))
        graveyard = await bus.producer()
        closing.push_async_callback(graveyard.close)
        consumer = await bus.consumer(TOPIC, group=GROUP)
        clock = SystemClock()
        registry = CollectorRegistry()
        projection = Projection(
            consumer,
            graveyard,
            Leaderboards(redis),
            WantedBoards(redis),
            Incarnations(redis),
            Emitter(redis),
            clock,
            CacheWorkerMetrics(registry),
        )
        checks: dict[str, Check] = {
            "cache": redis.ping,
            "bus": bus.ping,
            "projection": partial(goes_round, projection, clock),
        }
        async with asyncio.TaskGroup() as group:
            group.create_task(serve_health(Doctor(checks, registry, stop), settings, stop, outages=OUTAGES))
            await projection.run(stop)
