"""Every metric, in one catalogue. Names follow Prometheus: unit last, `_total` for counters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class AppServerMetrics:
    """What the app server counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.answers = Counter(
            "tiebreak_answers_total",
            "Answers by outcome: recorded, or the code of the refusal",
            ["outcome"],
            registry=registry,
        )
        self.answer_seconds = Histogram(
            "tiebreak_answer_seconds",
            "From an answer's arrival to its outcome, the commit included",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
            registry=registry,
        )


class SocketFigures(msgspec.Struct, frozen=True):
    """What a socket server has counted since its start, and how many there are of what now."""

    connections: int
    sockets: int
    rooms: int
    received: int
    delivered: int
    skipped: int
    throttled: int
    recovered: int
    closed: Mapping[str, int]
    refused: Mapping[str, int]
    adapter: Mapping[str, int]


class SocketMetrics(Collector):
    """Read when asked for: the socket server counts in plain numbers, at no cost to a broadcast."""

    def __init__(self, registry: CollectorRegistry, read: Callable[[], SocketFigures]) -> None:
        self._read = read
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        figures = self._read()
        for name, text, value in (
            ("connections", "Connections of clients, WebSocket and long-polling", figures.connections),
            ("sockets", "Sockets that were let in", figures.sockets),
            ("rooms", "Rooms with a socket of this process", figures.rooms),
        ):
            yield GaugeMetricFamily(f"tiebreak_socket_{name}", text, value=value)
        for name, text, value in (
            ("messages_received", "Messages from clients", figures.received),
            ("messages_delivered", "Messages of broadcasts, counted once for each socket", figures.delivered),
            ("messages_skipped", "Messages left out for clients that do not keep up", figures.skipped),
            ("throttled", "Times a client that sent too much was read more slowly", figures.throttled),
            ("recovered", "Clients that came back as the sockets they were", figures.recovered),
        ):
            yield CounterMetricFamily(f"tiebreak_socket_{name}", text, value=value)
        for name, label, text, counts in (
            ("closed", "reason", "Connections that ended", figures.closed),
            ("refused", "reason", "Connections that were not opened", figures.refused),
            ("adapter", "what", "What the Redis Streams adapter passed over, or could not do", figures.adapter),
        ):
            family = CounterMetricFamily(f"tiebreak_socket_{name}", text, labels=[label])
            for value, count in counts.items():
                family.add_metric([value], count)
            yield family


class PublisherMetrics:
    """What a publisher worker counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.published = Counter(
            "tiebreak_events_published_total", "Events that the bus has acknowledged", registry=registry
        )
        self.fenced = Counter(
            "tiebreak_events_fenced_total", "Events published under a lease that was lost meanwhile", registry=registry
        )
        self.shards = Gauge("tiebreak_outbox_shards", "Shards of the outbox this worker holds", registry=registry)


class CacheWorkerMetrics:
    """What a cache worker counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.answers = Counter(
            "tiebreak_board_answers_total",
            "Answers from the bus: new on their board, or known to it",
            ["how"],
            registry=registry,
        )
        self.dead = Counter("tiebreak_events_dead_total", "Events put on the dead-letter topic", registry=registry)
        self.board_seconds = Histogram(
            "tiebreak_board_seconds",
            "From an answer's arrival at an app server to its place on the board",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
            registry=registry,
        )
