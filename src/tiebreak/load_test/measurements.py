"""What is counted while the players answer."""

from __future__ import annotations

from collections import Counter

from tiebreak.load_test.boards import Visibility
from tiebreak.load_test.distribution import Distribution
from tiebreak.load_test.screen import MessageFigures


class Measurements:
    """Counts and durations of one run; `recent_…` are since the display was last drawn."""

    def __init__(self) -> None:
        self.due = 0
        self.acknowledged = Distribution()
        self.recent_acknowledged = Distribution()
        self.refused: Counter[str] = Counter()
        self.unacknowledged = 0
        self.retries: Counter[str] = Counter()
        # Log-ins that could not be renewed, by reason.
        self.renewals_failed: Counter[str] = Counter()
        self.visibility = Visibility()
        self.messages: MessageFigures | None = None
        # 0 until then.
        self.started_at = 0.0
        self.ended_at = 0.0
        self.last_acknowledged_at = 0.0

    @property
    def unsettled(self) -> int:
        """Answers that are due and not settled."""
        return self.due - self.acknowledged.count - self.refused.total() - self.unacknowledged

    @property
    def per_second(self) -> float:
        """Acknowledged answers a second, from the start to the last one."""
        seconds = self.last_acknowledged_at - self.started_at
        return self.acknowledged.count / seconds if seconds > 0 else 0.0

    def acknowledge(self, due: float, now: float) -> None:
        """An answer that was due then is acknowledged now."""
        self.acknowledged.add(now - due)
        self.recent_acknowledged.add(now - due)
        self.last_acknowledged_at = now
