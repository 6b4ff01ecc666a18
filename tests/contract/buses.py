"""The buses under test, by name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tiebreak.event_bus.bus import EventBus
from tiebreak.event_bus.kafka import KafkaBus
from tiebreak.event_bus.streams import StreamsBus
from tiebreak.redis_client import open_redis

PARTITIONS = 4


@asynccontextmanager
async def opened_bus(kind: str, address: str) -> AsyncIterator[EventBus]:
    """A bus of that kind: `address` is a Redis URL or Kafka's bootstrap servers."""
    if kind == "kafka":
        yield KafkaBus(address, replication=1)
        return
    redis = await open_redis(address)
    try:
        yield StreamsBus(redis, partitions=PARTITIONS, retention_hours=1)
    finally:
        await redis.aclose()
