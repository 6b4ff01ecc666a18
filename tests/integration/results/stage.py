"""Sessions after some answers, written into the tables: self-paced ones, and live ones with their windows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from tests.scene import Scene, new_user, opened_pool
from tiebreak.app_server.frozen_questions import FrozenQuestions
from tiebreak.app_server.results.export import Format
from tiebreak.app_server.results.reading import SessionResults
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import load_session, open_session
from tiebreak.database.quizzes import create_quiz
from tiebreak.ids import new_id
from tiebreak.quiz.model import ParticipantId, Quiz
from tiebreak.quiz.options import Options
from tiebreak.quiz.ranking import opened_at_ms

QUIZ = msgspec.convert(
    {
        "title": "Fruit & more",
        "questions": [
            {"type": "choice", "prompt": "Which is a fruit?", "choices": ["stone", "pear", "chair"], "answer": 1},
            {"type": "multi_choice", "prompt": "Which are even?", "choices": ["1", "2", "3", "4"], "answer": [1, 3]},
            {"type": "true_false", "prompt": "Ice is cold.", "answer": True},
            {"type": "typed", "prompt": "=The opposite of hot?", "answer": ["cold", "chilly"], "points": 150},
        ],
    },
    Quiz,
)
SECOND = 1_000


class Stage:
    """A session, and its results. Moments are milliseconds after its opening."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.pool, self.id = scene, scene.pool, scene.session_id
        self.opened = opened_at_ms(scene.session_id)
        self.reader = SessionResults(self.pool, FrozenQuestions(self.pool))

    async def player(self, name: str, *, team: int | None = None) -> ParticipantId:
        """Somebody who has joined."""
        participant_id = ParticipantId(new_id())
        await self.pool.execute(
            """INSERT INTO quiz_session_participants (id, quiz_session_id, user_id, name, team)
               VALUES ($1, $2, $3, $4, $5)""",
            participant_id,
            self.id,
            await new_user(self.pool, name),
            name,
            team,
        )
        return participant_id

    async def answer(
        self,
        player: ParticipantId,
        question: int,
        answer: object,
        *,
        score: int,
        at: int,
        correct: bool | None = None,
        took: int | None = None,
    ) -> None:
        """An answer in the ledger; in a live session it `took` some time."""
        await self.pool.execute(
            """INSERT INTO participant_answers
               (id, quiz_session_participant_id, question_id, answer, correct, score, answered_at, response_ms)
               VALUES ($1, $2, $3, $4, $5, $6, timestamptz 'epoch' + $7::bigint * interval '1 ms', $8)""",
            new_id(),
            player,
            self.scene.question_ids[question],
            json.dumps(answer),
            score > 0 if correct is None else correct,
            score,
            self.opened + at,
            took,
        )

    async def asked(self, question: int, *, opens: int, closes: int, shut: int | None) -> None:
        """A live question's window."""
        await self.pool.execute(
            """UPDATE quiz_session_questions SET opens_at_ms = $3, closes_at_ms = $4, shut_at_ms = $5
               WHERE quiz_session_id = $1 AND question_id = $2""",
            self.id,
            self.scene.question_ids[question],
            self.opened + opens,
            self.opened + closes,
            None if shut is None else self.opened + shut,
        )

    async def removed(self, player: ParticipantId) -> None:
        await self.pool.execute("UPDATE quiz_session_participants SET removed_at = now() WHERE id = $1", player)

    async def results(self, *, limit: int = 1_000, offset: int = 0) -> dict[str, Any]:
        """What the host is shown."""
        session = await load_session(self.pool, self.id)
        assert session
        return json.loads(await self.reader.part(session, limit=limit, offset=offset))

    async def history(self) -> list[dict[str, Any]]:
        session = await load_session(self.pool, self.id)
        assert session
        return json.loads(await self.reader.history(session))

    async def download(self, format_: Format) -> bytes:
        """What the host takes away."""
        session = await load_session(self.pool, self.id)
        assert session
        with await self.reader.file(session, format_) as file:
            return file.read()


@asynccontextmanager
async def staged(
    database_url: str, *, live: bool = False, quiz: Quiz = QUIZ, **options: object
) -> AsyncIterator[Stage]:
    """A session that has just been opened."""
    async with opened_pool(database_url) as pool:
        yield Stage(await set_scene(pool, quiz, live=live, **options))


async def set_scene(pool: Pool, quiz: Quiz, *, live: bool, **options: object) -> Scene:
    host_id = await new_user(pool, "Host")
    quiz_id, question_ids = await create_quiz(pool, host_id, quiz)
    opened = await open_session(pool, host_id, quiz_id, msgspec.convert(options, Options) if live else None)
    assert opened
    return Scene(pool, host_id, quiz_id, question_ids, [question.points for question in quiz.questions], opened[0])
