"""Every metric, in one catalogue. Names follow Prometheus: unit last, `_total` for counters."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class Tally:
    """A histogram in plain numbers: prometheus-client's own costs as much as decoding an answer does."""

    def __init__(self, *bounds: float) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self.observe_all((value,))

    def observe_all(self, values: Sequence[float]) -> None:
        bounds, counts = self._bounds, self._counts
        for value in values:
            counts[bisect_left(bounds, value)] += 1
        self._sum += sum(values)

    def family(self, name: str, text: str) -> Metric:
        bounds = [*map(str, map(float, self._bounds)), "+Inf"]
        buckets = list(zip(bounds, accumulate(self._counts), strict=True))
        return HistogramMetricFamily(name, text, buckets=buckets, sum_value=self._sum)


class AppServerMetrics(Collector):
    """What the app server counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.answers: Counts[str] = Counts()
        self.answer_seconds = Tally(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
        self.answers_per_batch = Tally(1, 2, 4, 8, 16, 32, 64, 128, 256)
        self.count_waiting: Callable[[], int] = lambda: 0
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        answers = CounterMetricFamily(
            "tiebreak_answers", "Answers by outcome: recorded, or the code of the refusal", labels=["outcome"]
        )
        for outcome, count in self.answers.items():
            answers.add_metric([outcome], count)
        yield answers
        yield self.answer_seconds.family(
            "tiebreak_answer_seconds", "From an answer's arrival to its outcome, the commit included"
        )
        yield self.answers_per_batch.family("tiebreak_answers_per_batch", "Answers that one commit carried")
        yield GaugeMetricFamily(
            "tiebreak_answers_waiting", "Answers that wait for their batch", value=self.count_waiting()
        )


class TokenMetrics:
    """Access tokens at an app server, and what it knows of revoked log-ins."""

    def __init__(self, registry: CollectorRegistry, count_remembered: Callable[[], int]) -> None:
        Gauge(
            "tiebreak_tokens_remembered", "Access tokens that need no signature check", registry=registry
        ).set_function(count_remembered)
        self.revoked_logins = Gauge(
            "tiebreak_revoked_logins", "Log-ins whose access tokens are refused before they expire", registry=registry
        )
        self.revocations_read = Gauge(
            "tiebreak_revocations_read_timestamp_seconds",
            "When Postgres last said which log-ins were revoked",
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


class BoardMetrics:
    """What is counted of boards and the ledger."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.rebuilt = Counter(
            "tiebreak_boards_rebuilt_total", "Boards built from the ledger by this process", registry=registry
        )
        self.differed = Counter(
            "tiebreak_boards_differed_total", "Boards that an audit found to differ from the ledger", registry=registry
        )


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
