"""What only the bus on Redis Streams can do wrong."""

import asyncio
from uuid import uuid4

from tests.contract.buses import opened_bus
from tests.contract.test_event_bus import messages, values
from tiebreak.event_bus import streams
from tiebreak.event_bus.streams import stream_of
from tiebreak.redis_client import open_redis


async def test_entries_given_to_nobody(each_redis_url, monkeypatch):
    """A read is carried out after its connection was lost: the reader finds what it was given and never got."""
    monkeypatch.setattr(streams, "SWEEP_SECONDS", 0.05)
    redis = await open_redis(each_redis_url)
    topic = str(uuid4())
    async with opened_bus("streams", each_redis_url) as bus:
        reader, producer = await bus.consumer(topic, group="group"), await bus.producer()
        async with asyncio.timeout(20):
            while not reader._assigned or reader._to_claim:
                await reader.poll(limit=10, timeout_seconds=0.01)
            assert all(await producer.publish(topic, messages(3)))
            names = {stream_of(topic, partition): ">" for partition in range(4)}
            lost = await redis.xreadgroup("group", reader._name, names)
            assert sum(len(entries) for _, entries in lost) == 3
            found = []
            while len(found) < 3:
                found += await reader.poll(limit=10, timeout_seconds=0.01)
        assert values(found) == [0, 1, 2]
        await reader.commit(found)
        await reader.close()
    await redis.aclose()
