"""How often one address may come in, and fail to."""

from __future__ import annotations

import msgspec

from tiebreak.cache.call_limits import CallLimit
from tiebreak.cache.limits import MissLimit
from tiebreak.errors import Refusal, Refused


class EntryLimits(msgspec.Struct, frozen=True):
    """All by address: guests, log-ins and registrations (each of them costs a hash), and wrong passwords."""

    guests: CallLimit
    logins: CallLimit
    failures: MissLimit

    async def check_failures(self, address: str) -> None:
        """Raises Refused if the address has failed too often of late."""
        if (seconds := await self.failures.exhausted(address)) is not None:
            raise Refused(Refusal.TOO_MANY_TRIES, retry_after_seconds=seconds)
