"""Every metric, in one catalogue. Names follow Prometheus: unit last, `_total` for counters."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram


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
