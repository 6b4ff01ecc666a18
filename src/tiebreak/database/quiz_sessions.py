"""Quiz sessions and who takes part in them."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, cast

import msgspec

from tiebreak.database.pool import ForeignKeyViolation, Pool
from tiebreak.database.queries import sql
from tiebreak.database.quizzes import StoredQuestion, stored_questions
from tiebreak.errors import Refusal
from tiebreak.ids import new_id
from tiebreak.quiz.model import ParticipantId, QuizId, QuizSessionId, UserId
from tiebreak.quiz.ranking import opened_at_ms
from tiebreak.quiz.scoring import Policy

Mode = Literal["self_paced"]
State = Literal["open", "finished"]

PIN_DIGITS = 6


class QuizSession(msgspec.Struct, frozen=True):
    """One run of a quiz."""

    id: QuizSessionId
    host_id: UserId
    title: str
    language: str
    pin: str
    mode: Mode
    state: State
    opened_at: datetime
    closed_at: datetime | None


class SessionCounts(msgspec.Struct, frozen=True):
    """How much there is in a session. Counting costs time with its size; ask only where it is shown."""

    question_count: int
    participant_count: int
    answer_count: int


class SessionNews(msgspec.Struct, frozen=True):
    """What a room is told when somebody joined or the session ended."""

    id: QuizSessionId
    state: State
    participant_count: int


class Participant(msgspec.Struct, frozen=True):
    """A user in a quiz session, under the name chosen for it."""

    id: ParticipantId
    name: str


async def open_session(
    pool: Pool, host_id: UserId, quiz_id: QuizId, *, mode: Mode, scoring: Policy
) -> tuple[QuizSessionId, str] | None:
    """Open a session with the quiz's questions as they are now; its id and PIN. None if there is no such quiz.

    A session opens at the moment within its id, so that consumers of events know it too.
    """
    while True:
        quiz_session_id = QuizSessionId(new_id())
        pin = new_pin()
        async with pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(sql("lock_quiz"), quiz_id) is None:
                return None
            opened = opened_at_ms(quiz_session_id)
            if await connection.fetchval(
                sql("insert_quiz_session"), quiz_session_id, quiz_id, host_id, pin, mode, scoring, opened
            ):
                await connection.execute(sql("freeze_questions"), quiz_session_id, quiz_id)
                return quiz_session_id, pin


def new_pin() -> str:
    """Six digits that cannot be foretold."""
    return f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}}"


async def load_session(pool: Pool, quiz_session_id: QuizSessionId) -> QuizSession | None:
    """A session."""
    row = await pool.fetchrow(sql("quiz_session"), quiz_session_id)
    return QuizSession(**row) if row else None


async def sessions_of_host(pool: Pool, host_id: UserId) -> list[QuizSession]:
    """The host's latest sessions, open ones first."""
    return [QuizSession(**row) for row in await pool.fetch(sql("quiz_sessions_of_host"), host_id)]


async def count_sessions(pool: Pool, sessions: Sequence[QuizSession]) -> list[SessionCounts]:
    """The counts of each, in the same order."""
    rows = await pool.fetch(sql("session_counts"), [session.id for session in sessions])
    return [SessionCounts(**row) for row in rows]


async def session_news(pool: Pool, quiz_session_ids: Collection[QuizSessionId]) -> list[SessionNews]:
    """What rooms are told, in any order."""
    if not quiz_session_ids:
        return []
    return [SessionNews(**row) for row in await pool.fetch(sql("session_news"), list(quiz_session_ids))]


async def session_by_pin(pool: Pool, pin: str) -> QuizSessionId | None:
    """The open session with this PIN."""
    return cast(QuizSessionId | None, await pool.fetchval(sql("quiz_session_by_pin"), pin))


async def finish_session(pool: Pool, quiz_session_id: QuizSessionId) -> bool:
    """End a session for good. True if it was open; idempotent."""
    return await pool.fetchval(sql("finish_quiz_session"), quiz_session_id) is not None


async def session_questions(pool: Pool, quiz_session_id: QuizSessionId) -> tuple[StoredQuestion, ...]:
    """The questions frozen when the session opened, with their keys; none if there is no such session."""
    return stored_questions(await pool.fetch(sql("session_questions"), quiz_session_id))


async def join_session(
    pool: Pool, quiz_session_id: QuizSessionId, user_id: UserId, name: str | None
) -> Participant | Refusal:
    """Take a user into a session, under `name` or else the user's own.

    The unique constraint decides between two requests of one user at the same time.
    """
    participant_id = ParticipantId(new_id())
    try:
        row = await pool.fetchrow(sql("join_session"), participant_id, quiz_session_id, user_id, name)
    except ForeignKeyViolation:
        return Refusal.USER_UNKNOWN
    if row is None:
        return Refusal.SESSION_NOT_FOUND_FOR_JOIN
    if row["participant_id"] is not None:
        return Participant(participant_id, row["name"])
    if await find_participant(pool, quiz_session_id, user_id):
        return Refusal.ALREADY_JOINED
    return Refusal.SESSION_FINISHED if row["state"] == "finished" else Refusal.USER_UNKNOWN


async def find_participant(pool: Pool, quiz_session_id: QuizSessionId, user_id: UserId) -> Participant | None:
    """The user's place in a session, if joined."""
    row = await pool.fetchrow(sql("participant"), quiz_session_id, user_id)
    return Participant(**row) if row else None
