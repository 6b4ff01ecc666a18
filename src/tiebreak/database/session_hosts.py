"""Who may act as host of a quiz session: the one that opened it, and the co-hosts."""

from __future__ import annotations

from typing import cast

import msgspec

from tiebreak.database.pool import Pool
from tiebreak.database.queries import sql
from tiebreak.errors import Refusal
from tiebreak.quiz.model import QuizSessionId, UserId


async def is_host(pool: Pool, quiz_session_id: QuizSessionId, user_id: UserId) -> bool:
    """Whether the user is the session's host or a co-host; False if there is no such session."""
    return cast(bool, await pool.fetchval(sql("is_host"), quiz_session_id, user_id))


class SessionHost(msgspec.Struct, frozen=True):
    """Somebody who may act as host. `is_owner`: it is the one that opened the session."""

    user_id: UserId
    name: str
    is_owner: bool


async def hosts_of(pool: Pool, quiz_session_id: QuizSessionId) -> list[SessionHost]:
    """Who opened the session first, then the co-hosts as they were added."""
    return [SessionHost(**row) for row in await pool.fetch(sql("hosts_of_session"), quiz_session_id)]


async def add_co_host(pool: Pool, quiz_session_id: QuizSessionId, user_id: UserId) -> Refusal | None:
    """Make an account co-host of a live session; PLAYS_ALREADY if it is, or was, a participant. Idempotent."""
    async with pool.acquire() as connection, connection.transaction():
        # Joins hold it, too: nobody becomes both at once (lobbies.py).
        await connection.execute(sql("lock_lobbies"), [quiz_session_id])
        if await connection.fetchval(sql("has_played"), quiz_session_id, user_id):
            return Refusal.PLAYS_ALREADY
        await connection.execute(sql("add_co_host"), quiz_session_id, user_id)
        return None


async def remove_co_host(pool: Pool, quiz_session_id: QuizSessionId, user_id: UserId) -> None:
    """Whoever opened the session stays host. Idempotent."""
    await pool.execute(sql("remove_co_host"), quiz_session_id, user_id)
