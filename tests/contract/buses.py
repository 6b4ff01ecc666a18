"""The buses under test, by name."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.kafka_server import Kafka
from tests.servers import folder
from tiebreak.embedded.valkey import Valkey
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
    redis = await open_redis(address, retries=0)
    try:
        yield StreamsBus(redis, partitions=PARTITIONS, retention_hours=1)
    finally:
        await redis.aclose()


class MortalValkey:
    """A durable Valkey of a test's own."""

    def __init__(self, directory: Path) -> None:
        self._server = Valkey(directory / "valkey", directory, directory / "valkey.log")
        self.address = self._server.url()
        self.start = self._server.start

    async def kill(self) -> None:
        assert self._server.child.pid is not None
        os.kill(self._server.child.pid, signal.SIGKILL)
        await self._server.child.ended()

    async def stop(self) -> None:
        await self._server.stop()


@asynccontextmanager
async def mortal_bus(kind: str) -> AsyncIterator[tuple[Kafka | MortalValkey, str]]:
    """A server of that kind with `kill` and `start`, and its address."""
    with folder() as directory:
        server = Kafka(directory) if kind == "kafka" else MortalValkey(directory)
        await server.start()
        try:
            yield server, server.servers if isinstance(server, Kafka) else server.address
        finally:
            await server.stop()
