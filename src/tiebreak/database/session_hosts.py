"""Who may act as host of a quiz session: the one that opened it, and the co-hosts."""

from __future__ import annotations

from typing import cast

from tiebreak.database.pool import Pool
from tiebreak.database.queries import sql
from tiebreak.quiz.model import QuizSessionId, UserId


async def is_host(pool: Pool, quiz_session_id: QuizSessionId, user_id: UserId) -> bool:
    """Whether the user is the session's host or a co-host; False if there is no such session."""
    return cast(bool, await pool.fetchval(sql("is_host"), quiz_session_id, user_id))
