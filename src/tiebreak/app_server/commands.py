"""THE WAY OF AN ANSWER, first part: the same function for HTTP and sockets.

Grade by the session's frozen questions, write answer and event in one statement, tell the room. A crash before
the commit leaves nothing; after it, the client's retry with the same answer_id finds the outcome.
"""

from __future__ import annotations

import msgspec

from tiebreak.app_server.frozen_questions import FrozenQuestions
from tiebreak.app_server.nudge import Nudge
from tiebreak.app_server.ticks import Ticks
from tiebreak.clock import Clock
from tiebreak.database.answers import NewAnswer, record_answer
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import find_participant
from tiebreak.errors import Refusal
from tiebreak.metrics import AppServerMetrics
from tiebreak.quiz.grading import grade
from tiebreak.quiz.model import AnswerId, UserId
from tiebreak.quiz.scoring import score
from tiebreak.socket_adapter.messages import Change, UpdateScore


class Outcome(msgspec.Struct, frozen=True):
    """The 200 of an answer."""

    participant_answer_id: AnswerId
    correct: bool
    score: int


class Answers:
    """Takes answers."""

    def __init__(
        self,
        pool: Pool,
        questions: FrozenQuestions,
        ticks: Ticks,
        nudge: Nudge,
        clock: Clock,
        metrics: AppServerMetrics,
    ) -> None:
        self._pool = pool
        self._questions = questions
        self._ticks = ticks
        self._nudge = nudge
        self._clock = clock
        self._metrics = metrics

    async def submit(self, user_id: UserId, command: UpdateScore) -> Outcome | Refusal:
        """Count an answer once, or say why not. Idempotent by `answer_id`; without one, a retry is refused."""
        with self._metrics.answer_seconds.time():
            outcome = await self._submit(user_id, command)
        self._metrics.answers.labels(outcome.code if isinstance(outcome, Refusal) else "recorded").inc()
        return outcome

    async def _submit(self, user_id: UserId, command: UpdateScore) -> Outcome | Refusal:
        answered_at_ms = self._clock.now_ms()
        question = (await self._questions.of(command.quiz_session_id)).get(command.question_id)
        correct = grade(question, command.answer) if question else None
        if question is None or correct is None:
            # The seed's order of checks: who has not joined learns nothing about questions.
            if await find_participant(self._pool, command.quiz_session_id, user_id) is None:
                return Refusal.NOT_JOINED
            return Refusal.QUESTION_NOT_IN_QUIZ if question is None else Refusal.ANSWER_INVALID
        recorded = await record_answer(
            self._pool,
            NewAnswer(
                quiz_session_id=command.quiz_session_id,
                user_id=user_id,
                question_id=command.question_id,
                answer=command.answer,
                answer_id=command.answer_id,
                correct=correct,
                score=score(question, correct=correct),
                answered_at_ms=answered_at_ms,
            ),
        )
        if isinstance(recorded, Refusal):
            return recorded
        if recorded.new:
            change = Change(recorded.participant_id, command.question_id, recorded.score)
            self._nudge.answered()
            self._ticks.answered(command.quiz_session_id, change)
        return Outcome(recorded.id, recorded.correct, recorded.score)
