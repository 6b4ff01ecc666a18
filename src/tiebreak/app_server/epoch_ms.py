"""Times on the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since the Unix epoch, rounded down; in integers, so that none is off by one."""
    return (moment - EPOCH) // timedelta(milliseconds=1)
