"""A limit on what one user asks of a session's participants and hosts, host or not: some of it builds a board anew."""

from __future__ import annotations

import msgspec

from tiebreak.cache.call_limits import CallLimit
from tiebreak.quiz.model import UserId


class HostLimit(msgspec.Struct, frozen=True):
    """Of each user."""

    of_user: CallLimit

    def count(self, user_id: UserId) -> None:
        """Count a call. Raises Refused if it is one too many."""
        self.of_user.count(user_id.int)
