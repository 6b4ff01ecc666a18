"""Those who take part in a session, as its host sees and changes them. Who was removed is not among them."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import msgspec

from tiebreak.database.pool import Pool, Record, UniqueViolation
from tiebreak.database.queries import sql
from tiebreak.errors import Refusal
from tiebreak.quiz.model import ParticipantId, QuizSessionId, UserId


class SessionParticipant(msgspec.Struct, frozen=True):
    """A participant. `team`: an index of the session's teams. `has_answered`: is on the board, or was."""

    id: ParticipantId
    user_id: UserId
    name: str
    team: int | None
    extra_time_percent: int
    joined_at: datetime
    has_answered: bool


async def participants_of(
    pool: Pool, quiz_session_id: QuizSessionId, *, limit: int, offset: int
) -> list[SessionParticipant]:
    """In the order of their coming."""
    rows = await pool.fetch(sql("participants_of_session"), quiz_session_id, limit, offset)
    return [participant_of(row) for row in rows]


async def count_participants(pool: Pool, quiz_session_id: QuizSessionId) -> int:
    """All of them."""
    return cast(int, await pool.fetchval(sql("count_participants"), quiz_session_id))


async def remove_participant(
    pool: Pool, quiz_session_id: QuizSessionId, participant_id: ParticipantId, *, banned: bool
) -> SessionParticipant | None:
    """Take somebody out of a session, for good if `banned`; None if there is no such participant. Idempotent."""
    row = await pool.fetchrow(sql("remove_participant"), quiz_session_id, participant_id, banned)
    return participant_of(row) if row else None


async def rename_participant(
    pool: Pool, quiz_session_id: QuizSessionId, participant_id: ParticipantId, *, name: str, name_key: str
) -> SessionParticipant | Refusal | None:
    """Give somebody another name; NAME_TAKEN if another has it. The unique index decides."""
    try:
        row = await pool.fetchrow(sql("rename_participant"), quiz_session_id, participant_id, name, name_key)
    except UniqueViolation:
        return Refusal.NAME_TAKEN
    return participant_of(row) if row else None


async def give_extra_time(
    pool: Pool, quiz_session_id: QuizSessionId, participant_id: ParticipantId, percent: int
) -> SessionParticipant | None:
    """So many percent more of each question's time; those that are open now among them."""
    row = await pool.fetchrow(sql("give_extra_time"), quiz_session_id, participant_id, percent)
    return participant_of(row) if row else None


async def change_team(
    pool: Pool, quiz_session_id: QuizSessionId, participant_id: ParticipantId, team: int
) -> SessionParticipant | None:
    """Put somebody into another team, with all points."""
    row = await pool.fetchrow(sql("change_team"), quiz_session_id, participant_id, team)
    return participant_of(row) if row else None


def participant_of(row: Record) -> SessionParticipant:
    return SessionParticipant(**row)
