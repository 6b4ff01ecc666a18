"""The log of a session's answers, and the ledger beside it, as of one moment: for those who look into the past."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import asyncpg
import msgspec

from tiebreak.database.answers import score_change
from tiebreak.database.pool import Connection, Record, open_pool
from tiebreak.database.queries import sql
from tiebreak.database.quiz_sessions import QuizSession
from tiebreak.errors import SchemaTooOld
from tiebreak.events import ScoreChange
from tiebreak.quiz.model import AnswerId, ParticipantId, QuestionId, QuizSessionId

# Rows that are fetched at once, of logs and ledgers of any length.
PREFETCHED = 500


class LedgerAnswer(msgspec.Struct, frozen=True):
    """What the ledger has of an answer; `answer` is JSON."""

    participant_id: ParticipantId
    quiz_session_id: QuizSessionId
    question_id: QuestionId
    correct: bool
    score: int
    answer: str
    answered_at_us: int


class LoggedAnswer(msgspec.Struct, frozen=True):
    """An answer in the log: the `number`th, from 1, of the `length` that its link added.

    `link_position` and `digest` are the log's after the link, `leaf` is what the link says the answer's is.
    """

    id: AnswerId
    number: int
    length: int
    link_position: int
    digest: bytes
    leaf: bytes
    in_ledger: LedgerAnswer | None


class BoardAnswer(msgspec.Struct, frozen=True):
    """An answer that is on the board, and since when: in a live session since its question was shut."""

    change: ScoreChange
    since_ms: int


class Place(msgspec.Struct, frozen=True):
    """Where an answer stands in its session's log; when it was accepted is None if the ledger has lost it."""

    position: int
    answered_at_ms: int | None


class LogEnd(msgspec.Struct, frozen=True):
    """How many answers a log has, and its digest."""

    length: int
    digest: bytes


@asynccontextmanager
async def snapshot(url: str) -> AsyncGenerator[Connection]:
    """A connection that reads, and sees one moment however long it takes.

    Raises DatabaseUnavailable, or SchemaTooOld if the database was made before there was a log.
    """
    pool = await open_pool(url, size=1)
    try:
        async with (
            pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection
    except asyncpg.UndefinedTableError as error:
        raise SchemaTooOld("The database has no answer log yet: run `tiebreak migrate` first.") from error
    finally:
        await pool.close()


async def logged_answers(connection: Connection, quiz_session_id: QuizSessionId) -> AsyncIterator[LoggedAnswer]:
    """Every answer of the log, in its order, however many there are."""
    async for row in connection.cursor(sql("answer_log"), quiz_session_id, prefetch=PREFETCHED):
        found = (
            LedgerAnswer(
                row["participant_id"],
                row["quiz_session_id"],
                row["question_id"],
                row["correct"],
                row["score"],
                row["answer"],
                row["answered_at_us"],
            )
            if row["participant_id"] is not None
            else None
        )
        yield LoggedAnswer(row["id"], row["number"], row["length"], row["position"], row["digest"], row["leaf"], found)


async def log_end(connection: Connection, quiz_session_id: QuizSessionId) -> LogEnd | None:
    """Where the log ends; None while there is none."""
    row = await connection.fetchrow(sql("answer_log_end"), quiz_session_id)
    return LogEnd(**row) if row else None


async def not_logged(connection: Connection, quiz_session_id: QuizSessionId, *, limit: int) -> list[AnswerId]:
    """Answers of the ledger that the log does not know."""
    return [row["id"] for row in await connection.fetch(sql("answers_not_logged"), quiz_session_id, limit)]


async def place_of(connection: Connection, quiz_session_id: QuizSessionId, answer_id: AnswerId) -> Place | None:
    """An answer's place in the log."""
    row = await connection.fetchrow(sql("answer_position"), quiz_session_id, answer_id)
    return Place(**row) if row else None


async def answers_of_session(connection: Connection, quiz_session_id: QuizSessionId) -> AsyncIterator[BoardAnswer]:
    """All that belong on a session's board now, in any order."""
    async for row in connection.cursor(sql("ledger"), quiz_session_id, prefetch=PREFETCHED):
        yield board_answer(quiz_session_id, row)


async def answers_until(
    connection: Connection, quiz_session_id: QuizSessionId, position: int
) -> AsyncIterator[BoardAnswer]:
    """Those of them that the log had taken when it was so long, in any order."""
    async for row in connection.cursor(sql("ledger_until"), quiz_session_id, position, prefetch=PREFETCHED):
        yield board_answer(quiz_session_id, row)


def board_answer(quiz_session_id: QuizSessionId, row: Record) -> BoardAnswer:
    """Of a row of `ledger`."""
    change = score_change(quiz_session_id, row)
    return BoardAnswer(change, change.answered_at_ms if change.time_decides else row["shut_at_ms"])


async def session_of(connection: Connection, quiz_session_id: QuizSessionId) -> QuizSession | None:
    """A session."""
    row = await connection.fetchrow(sql("quiz_session"), quiz_session_id)
    return QuizSession(**row) if row else None


async def session_of_pin(connection: Connection, pin: str) -> QuizSessionId | None:
    """The open session with this PIN, or else the last that had it."""
    return cast("QuizSessionId | None", await connection.fetchval(sql("session_of_pin"), pin))
