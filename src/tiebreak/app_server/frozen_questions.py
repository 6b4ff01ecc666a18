"""The questions of sessions, kept in the process: they never change once a session is open."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from functools import partial

from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import session_questions
from tiebreak.quiz.model import Question, QuestionId, QuizSessionId
from tiebreak.single_flight import SingleFlight

MAX_SESSIONS = 1_000


class Questions(dict[QuestionId, Question]):
    """A session's, in the quiz's order."""

    def __init__(self, questions: Iterable[tuple[QuestionId, Question]] = ()) -> None:
        super().__init__(questions)
        # Python hashes and compares a UUID in Python, which costs more than the rest of a look.
        self.by_number = {question_id.int: question for question_id, question in self.items()}


class FrozenQuestions:
    """Questions with their keys, by session; those used longest ago are forgotten first.

    There is nothing to invalidate while a session runs: its questions were frozen in the transaction that opened it,
    and what is not there yet is not remembered.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        # By the ids' numbers, as above.
        self._at_hand: OrderedDict[int, Questions] = OrderedDict()
        self._loads = SingleFlight[QuizSessionId, Questions]()

    def at_hand(self, quiz_session_id: QuizSessionId) -> Questions | None:
        """In the quiz's order; None if they have to be read first."""
        number = quiz_session_id.int
        questions = self._at_hand.get(number)
        if questions is not None:
            self._at_hand.move_to_end(number)
        return questions

    async def of(self, quiz_session_id: QuizSessionId) -> Questions:
        """In the quiz's order; empty if there is no such session. Asked for at once, they are read once."""
        questions = self.at_hand(quiz_session_id)
        if questions is not None:
            return questions
        return await self._loads.do(quiz_session_id, partial(self._load, quiz_session_id))

    def forget(self, quiz_session_id: QuizSessionId) -> None:
        """The session has ended: late answers may read them again."""
        self._at_hand.pop(quiz_session_id.int, None)

    async def _load(self, quiz_session_id: QuizSessionId) -> Questions:
        stored = await session_questions(self._pool, quiz_session_id)
        questions = Questions((it.id, it.question) for it in stored)
        if questions:
            self._at_hand[quiz_session_id.int] = questions
            if len(self._at_hand) > MAX_SESSIONS:
                self._at_hand.popitem(last=False)
        return questions
