"""Who may follow a session: participants and hosts."""

from __future__ import annotations

from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import QuizSession, find_participant, load_session
from tiebreak.database.session_hosts import is_host
from tiebreak.errors import Refusal, Refused
from tiebreak.quiz.model import QuizSessionId, UserId


async def admit(pool: Pool, quiz_session_id: QuizSessionId, user_id: UserId) -> QuizSession:
    """The session. Raises Refused: SESSION_NOT_FOUND, NOT_JOINED."""
    session = await load_session(pool, quiz_session_id)
    if session is None:
        raise Refused(Refusal.SESSION_NOT_FOUND)
    is_participant = await find_participant(pool, quiz_session_id, user_id) is not None
    if not is_participant and not await is_host(pool, quiz_session_id, user_id):
        raise Refused(Refusal.NOT_JOINED)
    return session
