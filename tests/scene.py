"""A host, a quiz and a session in the database, as the app server would have made them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tiebreak.database.answers import NewAnswer, Recorded, record_answers
from tiebreak.database.pool import Pool, open_pool
from tiebreak.database.quiz_sessions import Join, Participant, join_sessions, open_session
from tiebreak.database.quizzes import create_quiz
from tiebreak.errors import Refusal
from tiebreak.ids import new_id
from tiebreak.quiz.model import (
    AnswerId,
    ParticipantId,
    QuestionId,
    Quiz,
    QuizId,
    QuizSessionId,
    TrueFalseQuestion,
    UserId,
)
from tiebreak.quiz.ranking import opened_at_ms


@asynccontextmanager
async def opened_pool(database_url: str, size: int = 4) -> AsyncIterator[Pool]:
    """A pool that is closed at the end, with whatever a failed test has left open."""
    pool = await open_pool(database_url, size=size)
    try:
        yield pool
    finally:
        pool.terminate()


async def new_user(pool: Pool, name: str = "Somebody") -> UserId:
    """A guest."""
    user_id = UserId(new_id())
    await pool.execute("INSERT INTO users (id, kind, name) VALUES ($1, 'guest', $2)", user_id, name)
    return user_id


def quiz_of(points: Sequence[int]) -> Quiz:
    """True-or-false questions worth these points; true is right."""
    questions = [TrueFalseQuestion(prompt=f"Question {at}", answer=True, points=it) for at, it in enumerate(points)]
    return Quiz(title="A quiz", questions=[*questions])


@dataclass
class Scene:
    """A session and its questions."""

    pool: Pool
    host_id: UserId
    quiz_id: QuizId
    question_ids: list[QuestionId]
    points: Sequence[int]
    session_id: QuizSessionId

    @classmethod
    async def set(cls, pool: Pool, points: Sequence[int] = (100, 100, 100)) -> Scene:
        host_id = await new_user(pool, "Host")
        quiz_id, question_ids = await create_quiz(pool, host_id, quiz_of(points))
        opened = await open_session(pool, host_id, quiz_id)
        assert opened
        return cls(pool, host_id, quiz_id, question_ids, points, opened[0])

    async def player(self, name: str = "Player") -> tuple[UserId, Participant]:
        """A new guest who has joined."""
        user_id = await new_user(self.pool, name)
        participant = await self.join(user_id)
        assert isinstance(participant, Participant)
        return user_id, participant

    async def join(
        self, user_id: UserId, name: str | None = None, session_id: QuizSessionId | None = None
    ) -> Participant | Refusal:
        """A user's joining, alone in its batch."""
        join = Join(ParticipantId(new_id()), session_id or self.session_id, user_id, name)
        [outcome] = await join_sessions(self.pool, [join])
        return outcome

    async def answer(
        self, user_id: UserId, question: int, *, correct: bool = True, after_ms: int = 1_000, answer_id=None
    ) -> Recorded | Refusal:
        """An answer that many milliseconds into the session."""
        [outcome] = await record_answers(
            self.pool, [self.new_answer(user_id, question, correct=correct, after_ms=after_ms, answer_id=answer_id)]
        )
        return outcome

    def new_answer(
        self, user_id: UserId, question: int, *, correct: bool = True, after_ms: int = 1_000, answer_id=None
    ) -> NewAnswer:
        """The same, before it is recorded."""
        return NewAnswer(
            id=AnswerId(new_id()),
            quiz_session_id=self.session_id,
            user_id=user_id,
            question_id=self.question_ids[question],
            answer=correct,
            answer_id=answer_id,
            correct=correct,
            score=self.points[question] if correct else 0,
            answered_at_ms=opened_at_ms(self.session_id) + after_ms,
        )
