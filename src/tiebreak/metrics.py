"""Every metric, in one catalogue. Names follow Prometheus: unit last, `_total` for counters."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


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
