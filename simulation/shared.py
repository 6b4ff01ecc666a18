"""The clock and the metrics of simulated processes."""

from __future__ import annotations

import asyncio

import msgspec
from prometheus_client import CollectorRegistry

from simulation.virtual_loop import VirtualLoop
from tiebreak.metrics import AppServerMetrics, BoardMetrics, CacheWorkerMetrics, PublisherMetrics

# When every schedule begins.
START_MS = 1_800_000_000_000


class VirtualClock:
    """The loop's time."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now_ms(self) -> int:
        return START_MS + int(self._loop.time() * 1000)

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Metrics(msgspec.Struct, frozen=True):
    """Nobody reads them; made once, because making them takes longer than a process lives."""

    app_server: AppServerMetrics
    boards: BoardMetrics
    publisher: PublisherMetrics
    cache_worker: CacheWorkerMetrics


METRICS = Metrics(
    AppServerMetrics(CollectorRegistry()),
    BoardMetrics(CollectorRegistry()),
    PublisherMetrics(CollectorRegistry()),
    CacheWorkerMetrics(CollectorRegistry()),
)
