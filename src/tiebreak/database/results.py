"""What became of a session, as of one moment: for its host, while it runs and for ever after.

Of crowds, the answers come as one JSON text for each participant: taking texts apart is left to whoever has a thread
for it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import get_args

import msgspec

from tiebreak.database.pool import Connection, Pool
from tiebreak.database.queries import sql
from tiebreak.quiz.model import ParticipantId, QuestionId, QuizSessionId, Submission, UnkeyedQuestion
from tiebreak.quiz.statistics import Tally

UNKEYED_TYPES = [str(kind.__struct_config__.tag) for kind in get_args(UnkeyedQuestion)]
# Rows fetched at once: of a hundred questions' answers each, a megabyte.
PREFETCHED = 100


class AskedQuestion(msgspec.Struct, frozen=True):
    """A question of the session and what became of it; `position` from 1. Windows are those of live sessions."""

    id: QuestionId
    position: int
    opens_at_ms: int | None
    shut_at_ms: int | None
    tallies: list[Tally]
    median_ms: int | None
    mean_ms: int | None


class Player(msgspec.Struct, frozen=True):
    """A participant; `reached_at_ms`: when the score was reached, None if there are no points."""

    id: ParticipantId
    name: str
    team: int | None
    removed: bool
    answered: int
    correct: int
    score: int | None
    reached_at_ms: int | None


class PlayerAnswer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """To the question at `position`; `response_ms` from its opening, None where there is no such moment."""

    position: int
    answer: Submission
    correct: bool
    score: int
    response_ms: int | None


class PlayerScore(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An answer's points; `shut_at_ms`, in live sessions: when its question was shut."""

    score: int
    answered_at_ms: int
    shut_at_ms: int | None


@asynccontextmanager
async def one_moment(pool: Pool) -> AsyncGenerator[Connection]:
    """A connection that sees one moment, however much is asked by it."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield connection


async def asked_questions(connection: Connection, quiz_session_id: QuizSessionId) -> list[AskedQuestion]:
    """In order."""
    return [
        AskedQuestion(
            row["question_id"],
            row["position"],
            row["opens_at_ms"],
            row["shut_at_ms"],
            msgspec.json.decode(row["tallies"] or "[]", type=list[Tally]),
            row["median_ms"],
            row["mean_ms"],
        )
        for row in await connection.fetch(sql("results_questions"), quiz_session_id)
    ]


async def players(connection: Connection, quiz_session_id: QuizSessionId) -> list[Player]:
    """All who have joined, in the order of their joining."""
    rows = await connection.fetch(sql("results_participants"), quiz_session_id, UNKEYED_TYPES)
    return [Player(**row) for row in rows]


async def player_answers(
    connection: Connection, quiz_session_id: QuizSessionId, participants: Sequence[ParticipantId]
) -> dict[ParticipantId, str]:
    """A list of PlayerAnswer as JSON for each who has answered."""
    rows = await connection.fetch(sql("results_answers"), quiz_session_id, participants)
    return {row["id"]: row["answers"] for row in rows}


async def player_scores(
    connection: Connection, quiz_session_id: QuizSessionId
) -> AsyncIterator[tuple[ParticipantId, str, str]]:
    """Each participant on the board: id, name, and a list of PlayerScore as JSON."""
    async for row in connection.cursor(sql("results_scores"), quiz_session_id, prefetch=PREFETCHED):
        yield row["id"], row["name"], row["scores"]


async def moments(connection: Connection, quiz_session_id: QuizSessionId, parts: Sequence[float]) -> list[int]:
    """When answers came, in ms since the epoch, ascending: those at these parts (0 to 1) of all in their order."""
    rows = await connection.fetch(sql("results_moments"), quiz_session_id, parts)
    return [row["at_ms"] for row in rows]
