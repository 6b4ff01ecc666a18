"""For how long answers are on their way, as far as this server has measured: half of a ping's shortest round trip."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from tiebreak.quiz.model import UserId


class Latency:
    """By user. A client that holds its pings' answers back seems farther away than it is, which earns it no more than
    plays.py's MAX_CREDIT_MS."""

    def __init__(self) -> None:
        self._round_trip_seconds: Callable[[UUID], float | None] = lambda _: None

    def measured_by(self, round_trip_seconds: Callable[[UUID], float | None]) -> None:
        """What has a user's shortest round trip, or None."""
        self._round_trip_seconds = round_trip_seconds

    def credit_ms(self, user_id: UserId) -> int:
        """0 for whoever has no socket here, or was not measured yet."""
        return int((self._round_trip_seconds(user_id) or 0.0) * 500)
