"""Log-ins as app servers see them: the auth server writes them, here is read which of them were revoked."""

from __future__ import annotations

import asyncio
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

    A revocation carries a time before its transaction commits: ask for more than the time since the last question.
    Raises TimeoutError when there was no free connection, or no answer, for so long.
    """
    # The pool's own timeout bounds giving the connection back: asyncpg waits there for a query it has to cancel.
    async with asyncio.timeout(timeout_seconds), pool.acquire(timeout=timeout_seconds) as connection:
        [row] = await connection.fetch(sql("revoked_logins"), since, less_seconds)
    return RevokedLogins(row["ids"], row["asked_at"])
