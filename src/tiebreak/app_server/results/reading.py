"""Reads results and writes them out, a few sessions at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from tempfile import TemporaryFile
from typing import IO

import msgspec

from tiebreak.app_server.frozen_questions import FrozenQuestions
from tiebreak.app_server.results.export import Export, Format
from tiebreak.app_server.results.overview import Overview, Ranked, read_overview
from tiebreak.app_server.results.replaying import replayed, shut_moments
from tiebreak.database import results
from tiebreak.database.pool import Connection, Pool
from tiebreak.database.quiz_sessions import QuizSession
from tiebreak.errors import Refusal, Refused
from tiebreak.quiz.board_history import MOMENTS
from tiebreak.quiz.model import ParticipantId
from tiebreak.quiz.ranking import opened_at_ms, reached_ms

# Each holds a connection and keeps a thread busy, beside those that take answers.
AT_ONCE = 2
LONGEST_QUEUE = 20
# Their answers are in memory together: of a hundred questions, some megabytes.
PARTICIPANTS_AT_ONCE = 100


class SessionResults:
    """What became of sessions. Every method may raise Refused(BUSY): too many ask at once."""

    def __init__(self, pool: Pool, questions: FrozenQuestions) -> None:
        self._pool = pool
        self._questions = questions
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._asking = 0

    async def part(self, session: QuizSession, *, limit: int, offset: int) -> bytes:
        """Results, as JSON, with `limit` of the participants from `offset`."""
        async with self._moment() as connection:
            overview = await self._overview(connection, session)
            ranked = overview.ranked[offset : offset + limit]
            answers = await self._answers(connection, session, ranked)
            return await asyncio.to_thread(encoded, overview, ranked, answers)

    async def file(self, session: QuizSession, format_: Format) -> IO[bytes]:
        """All of it as a file, open at its beginning; the caller closes it. On disk, gone when it is closed."""
        file = await asyncio.to_thread(TemporaryFile)
        try:
            async with self._moment() as connection:
                overview = await self._overview(connection, session)
                export = await asyncio.to_thread(format_.begin, file, overview)
                for at in range(0, len(overview.ranked), PARTICIPANTS_AT_ONCE):
                    ranked = overview.ranked[at : at + PARTICIPANTS_AT_ONCE]
                    answers = await self._answers(connection, session, ranked)
                    await asyncio.to_thread(add, export, overview, ranked, answers)
                await asyncio.to_thread(export.finish)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    async def history(self, session: QuizSession) -> bytes:
        """The board over time: a list of Moment, as JSON."""
        opened, is_live = opened_at_ms(session.id), session.mode == "live"
        async with self._moment() as connection:
            players = [player async for player in results.player_scores(connection, session.id)]
            moments = (
                shut_moments(await results.asked_questions(connection, session.id), opened)
                if is_live
                else [
                    (reached_ms(opened, at_ms), None)
                    for at_ms in await results.moments(connection, session.id, MOMENTS)
                ]
            )
        boards = partial(replayed, players, moments, opened, is_live=is_live)
        return msgspec.json.encode(await asyncio.to_thread(boards))

    @asynccontextmanager
    async def _moment(self) -> AsyncGenerator[Connection]:
        if self._asking >= LONGEST_QUEUE:
            raise Refused(Refusal.BUSY)
        self._asking += 1
        try:
            async with self._turns, results.one_moment(self._pool) as connection:
                yield connection
        finally:
            self._asking -= 1

    async def _overview(self, connection: Connection, session: QuizSession) -> Overview:
        return await read_overview(connection, session, await self._questions.of(session.id))

    async def _answers(
        self, connection: Connection, session: QuizSession, ranked: Sequence[Ranked]
    ) -> dict[ParticipantId, str]:
        return await results.player_answers(connection, session.id, [it.player.id for it in ranked])


def encoded(overview: Overview, ranked: Sequence[Ranked], answers: dict[ParticipantId, str]) -> bytes:
    participants = [overview.participant(it, answers.get(it.player.id)) for it in ranked]
    return msgspec.json.encode(overview.results(participants))


def add(export: Export, overview: Overview, ranked: Sequence[Ranked], answers: dict[ParticipantId, str]) -> None:
    export.add([overview.participant(it, answers.get(it.player.id)) for it in ranked])
