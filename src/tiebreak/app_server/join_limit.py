"""Limits on joins: of one user, who joins a few sessions in an evening, and of one address, which may be a school's."""

from __future__ import annotations

import msgspec

from tiebreak.cache.call_limits import CallLimit
from tiebreak.quiz.model import UserId


class JoinLimit(msgspec.Struct, frozen=True):
    """Both of them."""

    of_user: CallLimit
    of_address: CallLimit

    def count(self, user_id: UserId, address: str) -> None:
        """Count a join that is asked for. Raises Refused if it is one too many."""
        self.of_user.count(user_id.int)
        self.of_address.count(address)
