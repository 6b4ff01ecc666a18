"""Processes of a cluster within the test's own: each has its connections and its recording namespaces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from tests.integration.redis_streams.namespaces import RecordingNamespace
from tiebreak.redis_client import open_redis
from tiebreak.socket_adapter.redis_streams.adapter import ClusterAdapter
from tiebreak.socket_adapter.redis_streams.streams import RedisStreams


class Process:
    """A RedisStreams that runs, and the namespaces on it."""

    def __init__(
        self, streams: RedisStreams, namespaces: Sequence[RecordingNamespace], gaps: list[list[list[Any]]]
    ) -> None:
        """`gaps` has, for each call of on_gap, what had happened by then."""
        self.streams = streams
        self.namespaces = namespaces
        self.here = namespaces[0]
        self.gaps = gaps

    @property
    def adapter(self) -> ClusterAdapter:
        return self.here.adapter

    @property
    def happened(self) -> list[list[Any]]:
        return self.here.happened


@asynccontextmanager
async def process(
    redis_url: str,
    *,
    namespaces: Sequence[str] = ("/",),
    recovery_ms: int = 20_000,
    **options: Any,
) -> AsyncIterator[Process]:
    """One that is counted by the others; killed at the end."""
    redis = await open_redis(redis_url)
    gaps: list[list[list[Any]]] = []
    recorded = [RecordingNamespace(name, recovery_ms) for name in namespaces]
    streams = RedisStreams(redis, on_gap=lambda: gaps.append(list(recorded[0].happened)), **options)
    for namespace in recorded:
        namespace.adapter = streams.adapter(namespace)
    process = Process(streams, recorded, gaps)
    await streams.start()
    running = asyncio.create_task(streams.run())
    try:
        await streams.until_counted()
        yield process
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await redis.aclose()
