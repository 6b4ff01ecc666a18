"""Moments, as people write and read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment_text(ms: int) -> str:
    """ISO 8601, in UTC; the number itself if no calendar has it."""
    try:
        return (EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")
    except OverflowError:
        return f"{ms} ms"


def moment_ms(text: str) -> int:
    """Milliseconds since the Unix epoch, as digits or as an ISO 8601 date or time (UTC unless it says).

    Raises ValueError.
    """
    if text.isascii() and text.isdigit():
        return int(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(milliseconds=1)
