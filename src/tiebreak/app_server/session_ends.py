"""What follows when a session has ended, by its host's request or by the last step of its game."""

from __future__ import annotations

from tiebreak.app_server.frozen_questions import FrozenQuestions
from tiebreak.app_server.ticks import Ticks
from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.quiz.model import QuizSessionId


class SessionEnds:
    """Tells the room, and lets go of what is not needed any more."""

    def __init__(self, questions: FrozenQuestions, ticks: Ticks, leaderboards: Leaderboards) -> None:
        self._questions = questions
        self._ticks = ticks
        self._leaderboards = leaderboards

    async def ended(self, quiz_session_id: QuizSessionId, *, now: bool = True) -> None:
        """May be repeated; not `now`: it had ended before. Raises what Redis raises."""
        self._questions.forget(quiz_session_id)
        self._ticks.session_changed(quiz_session_id, at_once=now)
        await self._leaderboards.expire(quiz_session_id)
