"""When each room is to be told next: at once after a quiet time, else when its interval is over."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from tiebreak.quiz.model import QuizSessionId


class RoomSchedule:
    """Rooms that wait to be told, by their quiz sessions. Times are of Clock.monotonic."""

    def __init__(self) -> None:
        self._due_at: dict[QuizSessionId, float] = {}
        # Until when those told last are left alone.
        self._rest_until: dict[QuizSessionId, float] = {}

    @property
    def waiting(self) -> AbstractSet[QuizSessionId]:
        """Those that are to be told, now or later."""
        return self._due_at.keys()

    @property
    def next_at(self) -> float | None:
        """When somebody is due."""
        return min(self._due_at.values(), default=None)

    def want(self, quiz_session_id: QuizSessionId, now: float) -> float:
        """There is something to tell; when it will be due. Wanted more than once, it is told once."""
        return self._due_at.setdefault(quiz_session_id, max(now, self._rest_until.get(quiz_session_id, now)))

    def due(self, now: float) -> list[QuizSessionId]:
        """Those whose time has come."""
        return [quiz_session_id for quiz_session_id, at in self._due_at.items() if at <= now]

    def told(self, quiz_session_id: QuizSessionId, now: float, interval_seconds: float) -> None:
        """It was told everything; what is wanted from here on waits for the interval."""
        self._due_at.pop(quiz_session_id, None)
        self._rest_until[quiz_session_id] = now + interval_seconds

    def forget_rested(self, now: float) -> None:
        """Remember only those that still have to be left alone."""
        self._rest_until = {
            quiz_session_id: until for quiz_session_id, until in self._rest_until.items() if until > now
        }
