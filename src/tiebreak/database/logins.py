"""Log-ins as app servers see them: the auth server writes them, here is read which of them were revoked."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from tiebreak.database.pool import Pool
from tiebreak.database.queries import sql


class RevokedLogins(msgspec.Struct, frozen=True):
    """What the database said at `asked_at`, by its own clock."""

    ids: list[UUID]
    asked_at: datetime


async def revoked_logins(
    pool: Pool, since: datetime | None, *, less_seconds: float, timeout_seconds: float
) -> RevokedLogins:
    """The log-ins revoked since so many seconds before `since`, or before now if that is None.

    When a log-in was revoked is said by an auth server's clock, before its transaction commits: ask for more than the
    time since the last question. Raises TimeoutError.
    """
    [row] = await pool.fetch(sql("revoked_logins"), since, less_seconds, timeout=timeout_seconds)
    return RevokedLogins(row["ids"], row["asked_at"])
