"""The process: opens its parts, projects, closes them in reverse order."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.cache_worker.projection import Projection
from tiebreak.clock import SystemClock
from tiebreak.event_bus.choice import opened_bus
from tiebreak.events import TOPIC
from tiebreak.redis_client import open_redis
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
        consumer = await bus.consumer(TOPIC, group=GROUP)
        await Projection(consumer, Leaderboards(redis), Emitter(redis), SystemClock()).run(stop)
