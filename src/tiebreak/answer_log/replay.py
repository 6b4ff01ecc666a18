"""`tiebreak replay`: the board as it stood, from the ledger alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from tiebreak.answer_log.moments import moment_text
from tiebreak.database.answer_log import (
    BoardAnswer,
    Place,
    answers_of_session,
    answers_until,
    place_of,
    session_of,
    session_of_pin,
    snapshot,
)
from tiebreak.database.pool import Connection
from tiebreak.database.quiz_sessions import QuizSession
from tiebreak.errors import NotInDatabase
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

    In a live session answers come on the board when their question is shut: an answer that the log has just taken is
    not on it yet. Participants who were removed since are on none.

    Raises NotInDatabase if there is no such session, or no such answer in its log.
    """
    async with snapshot(database_url) as connection:
        found = await find_session(connection, session)
        totals, answers = Totals(opened_at_ms(found.id)), 0
        async for it in await answers_on_board(connection, found.id, until):
            if at_ms is not None and it.since_ms > at_ms:
                continue
            answers += 1
            totals.add(
                it.change.quiz_session_participant_id,
                it.change.name,
                it.change.score,
                it.change.answered_at_ms,
                time_decides=it.change.time_decides,
            )
        rows = totals.rows()
        return Replayed(found.id, found.title, answers, len(rows), rows[:limit])


async def find_session(connection: Connection, session: str) -> QuizSession:
    """By its id, or by its PIN. Raises NotInDatabase."""
    quiz_session_id = id_of(session) or await session_of_pin(connection, session)
    found = await session_of(connection, QuizSessionId(quiz_session_id)) if quiz_session_id else None
    if found is None:
        raise NotInDatabase(f"There is no quiz session {session}: give its id, or the PIN that leads to it.")
    return found


async def answers_on_board(
    connection: Connection, quiz_session_id: QuizSessionId, until: AnswerId | None
) -> AsyncIterator[BoardAnswer]:
    """The session's answers. Raises NotInDatabase if its log does not have the one that is to be the last."""
    if until is None:
        return answers_of_session(connection, quiz_session_id)
    last = await place_of(connection, quiz_session_id, until)
    if last is None:
        raise NotInDatabase(
            f"Quiz session {quiz_session_id} has no answer {until}: give a participant_answer_id of its answers."
        )
    return when_taken(answers_until(connection, quiz_session_id, last.position), last)


async def when_taken(answers: AsyncIterator[BoardAnswer], last: Place) -> AsyncIterator[BoardAnswer]:
    """Those that were on the board when the log took the last: of live ones, not all that it had taken before."""
    async for it in answers:
        if it.change.time_decides or last.answered_at_ms is None or it.since_ms <= last.answered_at_ms:
            yield it


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
