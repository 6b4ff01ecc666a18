"""What an app server reads of a live question to score its answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from tiebreak.database.pool import Pool
from tiebreak.database.queries import sql
from tiebreak.quiz.model import QuestionId, QuizSessionId, UserId
from tiebreak.quiz.scoring import LONGEST_STREAK


class OpenWindow(msgspec.Struct, frozen=True):
    """Where a question's window begins, and whether it has been shut since."""

    opens_at_ms: int
    is_shut: bool


async def window_of(pool: Pool, quiz_session_id: QuizSessionId, question_id: QuestionId) -> OpenWindow | None:
    """None if the question has not been asked."""
    row = await pool.fetchrow(sql("live_window"), quiz_session_id, question_id)
    return OpenWindow(row["opens_at_ms"], row["is_shut"]) if row else None


async def extra_times(pool: Pool, quiz_session_id: QuizSessionId) -> Mapping[UserId, int]:
    """In percent, of those who have some."""
    rows = await pool.fetch(sql("extra_times"), quiz_session_id)
    return {row["user_id"]: row["extra_time_percent"] for row in rows}


async def streaks(
    pool: Pool, quiz_session_id: QuizSessionId, question_ids: Collection[QuestionId]
) -> Mapping[UserId, int]:
    """Right answers in a row up to the last one of these questions that was shut, LONGEST_STREAK at most; who has none
    is left out. Who has not answered has not answered rightly.
    """
    rows = await pool.fetch(sql("streaks"), quiz_session_id, list(question_ids), LONGEST_STREAK)
    return {row["user_id"]: row["streak"] for row in rows}
