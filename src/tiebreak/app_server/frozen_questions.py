"""The questions of sessions, kept in the process: they never change once a session is open."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping

from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import session_questions
from tiebreak.quiz.model import Question, QuestionId, QuizSessionId

MAX_SESSIONS = 1_000


class FrozenQuestions:
    """Questions with their keys, by session; those used longest ago are forgotten first."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._loads: OrderedDict[QuizSessionId, asyncio.Task[Mapping[QuestionId, Question]]] = OrderedDict()

    async def of(self, quiz_session_id: QuizSessionId) -> Mapping[QuestionId, Question]:
        """In the quiz's order; empty if there is no such session. Asked for at once, they are read once."""
        load = self._loads.get(quiz_session_id)
        if load is None:
            load = asyncio.create_task(self._load(quiz_session_id))
            self._loads[quiz_session_id] = load
            if len(self._loads) > MAX_SESSIONS:
                self._loads.popitem(last=False)
        self._loads.move_to_end(quiz_session_id)
        try:
            questions = await asyncio.shield(load)
        except Exception:
            self._loads.pop(quiz_session_id, None)
            raise
        if not questions:
            # No such session yet; there may be one later.
            self._loads.pop(quiz_session_id, None)
        return questions

    async def _load(self, quiz_session_id: QuizSessionId) -> Mapping[QuestionId, Question]:
        return {stored.id: stored.question for stored in await session_questions(self._pool, quiz_session_id)}
