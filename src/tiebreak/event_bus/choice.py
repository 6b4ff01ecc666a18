"""Which bus a process uses: Kafka where its servers are named, else Redis Streams."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tiebreak.event_bus.bus import EventBus
from tiebreak.event_bus.kafka import KafkaBus
from tiebreak.event_bus.streams import StreamsBus
from tiebreak.redis_client import open_redis
from tiebreak.settings import Settings, required


@asynccontextmanager
async def opened_bus(settings: Settings) -> AsyncGenerator[EventBus]:
    """The bus of the settings, its topics made. Raises SettingsInvalid, BusUnavailable."""
    if settings.kafka_servers:
        bus = KafkaBus(settings.kafka_servers, replication=settings.kafka_replication)
        await bus.create_topics()
        yield bus
        return
    redis = await open_redis(required(settings.redis_url, "TIEBREAK_REDIS_URL"), retries=0)
    try:
        yield StreamsBus(redis, partitions=settings.bus_partitions, retention_hours=settings.bus_retention_hours)
    finally:
        await redis.aclose()
