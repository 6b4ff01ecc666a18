"""Every topic: what it holds, and how it is laid out on Kafka."""

from __future__ import annotations

import msgspec

from tiebreak.events import DEAD_TOPIC, TOPIC

DAY_MS = 24 * 3600 * 1000


class Topic(msgspec.Struct, frozen=True):
    """`partitions` bounds how many cache workers can share the work; it must not be lowered or raised later, or
    a session's events would change their partition."""

    name: str
    partitions: int
    retention_ms: int


TOPICS = (
    # A session's key keeps its events in one partition. A week of them can be read again.
    Topic(TOPIC, partitions=32, retention_ms=7 * DAY_MS),
    # Events that could not be applied, with the reason; kept for a person to look at.
    Topic(DEAD_TOPIC, partitions=1, retention_ms=90 * DAY_MS),
)
