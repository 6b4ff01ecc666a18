"""Kafka, and what can be done to it."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from chaos.database_server import limit_files
from chaos.process_tree import frozen
from tests.kafka_server import Kafka

# Below the smallest file that it makes for itself.
FULL_AT_BYTES = 4096


class Broker:
    """One broker; each of its clients comes in by a door of its own."""

    def __init__(self, folder: Path, doors: Sequence[int]) -> None:
        self._kafka = Kafka(folder / "kafka", doors=doors)

    @property
    def door_ports(self) -> Sequence[int]:
        return self._kafka.door_ports

    async def start(self) -> None:
        await self._kafka.start()

    async def stop(self) -> None:
        await self._kafka.stop()

    async def kill(self, seconds: float) -> None:
        """SIGKILL; started again so much later."""
        await self._kafka.kill()
        await asyncio.sleep(seconds)
        await self._kafka.start()

    async def restart(self, seconds: float) -> None:
        await self._kafka.stop()
        await asyncio.sleep(seconds)
        await self._kafka.start()

    async def freeze(self, seconds: float) -> None:
        assert self._kafka.child.pid is not None
        await frozen(self._kafka.child.pid, seconds)

    @asynccontextmanager
    async def without_room(self) -> AsyncGenerator[None]:
        """No file can grow. A broker that cannot write to its only directory ends itself: it is started again."""
        assert self._kafka.child.pid is not None
        pid = self._kafka.child.pid
        limit_files({pid}, FULL_AT_BYTES)
        try:
            yield
        finally:
            if self._kafka.child.running:
                limit_files({pid}, resource.RLIM_INFINITY)
                # It may be on its way out.
                await asyncio.sleep(1)
            if not self._kafka.child.running:
                await self._kafka.start()
