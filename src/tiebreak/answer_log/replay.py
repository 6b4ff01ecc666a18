"""`tiebreak replay`: the board as it stood, from the ledger alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from tiebreak.answer_log.moments import moment_text
from tiebreak.database.answer_log import (
    answers_of_session,
    answers_until,
    position_of,
    session_of,
    session_of_pin,
    snapshot,
)
from tiebreak.database.pool import Connection
from tiebreak.database.quiz_sessions import QuizSession
from tiebreak.errors import NotInDatabase
from tiebreak.events import ScoreChange
from tiebreak.ids import id_of
from tiebreak.quiz.model import AnswerId, QuizSessionId
from tiebreak.quiz.ranking import Row, Totals, opened_at_ms


class Replayed(msgspec.Struct, frozen=True):
    """A board after so many `answers`; `participants` counts those on it, `rows` may be only the first of them."""

    quiz_session_id: QuizSessionId
    title: str
    answers: int
    participants: int
    rows: list[Row]


async def replay(
    database_url: str,
    session: str,
    *,
    at_ms: int | None = None,
    until: AnswerId | None = None,
    limit: int | None = None,
) -> Replayed:
    """The board of a session (id or PIN): now, by the answers accepted up to a moment, or when the log had taken one.

    Raises NotInDatabase if there is no such session, or no such answer in its log.
    """
    async with snapshot(database_url) as connection:
        found = await find_session(connection, session)
        totals, answers = Totals(opened_at_ms(found.id)), 0
        async for change in await changes_of(connection, found.id, until):
            if at_ms is not None and change.answered_at_ms > at_ms:
                continue
            answers += 1
            totals.add(change.quiz_session_participant_id, change.name, change.score, change.answered_at_ms)
        rows = totals.rows()
        return Replayed(found.id, found.title, answers, len(rows), rows[:limit])


async def find_session(connection: Connection, session: str) -> QuizSession:
    """By its id, or by its PIN. Raises NotInDatabase."""
    quiz_session_id = id_of(session) or await session_of_pin(connection, session)
    found = await session_of(connection, QuizSessionId(quiz_session_id)) if quiz_session_id else None
    if found is None:
        raise NotInDatabase(f"There is no quiz session {session}: give its id, or the PIN that leads to it.")
    return found


async def changes_of(
    connection: Connection, quiz_session_id: QuizSessionId, until: AnswerId | None
) -> AsyncIterator[ScoreChange]:
    """The session's answers. Raises NotInDatabase if its log does not have the one that is to be the last."""
    if until is None:
        return answers_of_session(connection, quiz_session_id)
    position = await position_of(connection, quiz_session_id, until)
    if position is None:
        raise NotInDatabase(
            f"Quiz session {quiz_session_id} has no answer {until}: give a participant_answer_id of its answers."
        )
    return answers_until(connection, quiz_session_id, position)


def board_text(board: Replayed) -> str:
    """For people."""
    opened = moment_text(opened_at_ms(board.quiz_session_id))
    lines = [
        f"{board.title}: quiz session {board.quiz_session_id}, opened at {opened}",
        f"after {board.answers} answers, {board.participants} participants on the board",
    ]
    ranks = max((len(str(row.rank)) for row in board.rows), default=0)
    scores = max((len(str(row.score)) for row in board.rows), default=0)
    lines += [f"{row.rank:>{ranks}}  {row.score:>{scores}}  {row.name}" for row in board.rows]
    left_out = board.participants - len(board.rows)
    return "\n".join([*lines, *([f"and {left_out} more"] if left_out else [])])
