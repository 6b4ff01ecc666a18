"""What rooms are told by the app server, gathered into one message per session and tick.

So a room of a thousand that answers within a second gets ten messages, not a thousand.
"""

from __future__ import annotations

from collections import defaultdict

import structlog

from tiebreak.clock import Clock
from tiebreak.database.pool import FAILURES, Pool
from tiebreak.database.quiz_sessions import session_news
from tiebreak.quiz.model import QuizSessionId
from tiebreak.redis_client import OUTAGES, RedisError
from tiebreak.socket_adapter.emitter import Emitter
from tiebreak.socket_adapter.messages import Change, RoomMessage, ScoreUpdate, SessionUpdate
from tiebreak.socket_adapter.redis_streams.patience import end_if_cancelled

log = structlog.get_logger()

TICK_SECONDS = 0.1
MAX_CHANGES = 50


class Ticks:
    """Collects changes and sends them every TICK_SECONDS. A lost tick is healed by the next board."""

    def __init__(self, pool: Pool, emitter: Emitter, clock: Clock) -> None:
        self._pool = pool
        self._emitter = emitter
        self._clock = clock
        self._answered: dict[QuizSessionId, list[Change]] = defaultdict(list)
        self._changed: set[QuizSessionId] = set()

    def answered(self, quiz_session_id: QuizSessionId, change: Change) -> None:
        """An answer was committed."""
        self._answered[quiz_session_id].append(change)

    def session_changed(self, quiz_session_id: QuizSessionId) -> None:
        """Somebody joined, or the session ended."""
        self._changed.add(quiz_session_id)

    async def run(self) -> None:
        """Send for ever."""
        while True:
            end_if_cancelled()
            await self._clock.sleep(TICK_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Send what has come together since the last tick."""
        answered, self._answered = self._answered, defaultdict(list)
        changed, self._changed = self._changed, set()
        try:
            messages: list[tuple[QuizSessionId, RoomMessage]] = [
                (quiz_session_id, score_update(quiz_session_id, changes))
                for quiz_session_id, changes in answered.items()
            ]
            messages += [
                (news.id, SessionUpdate(news.id, news.state, news.participant_count))
                for news in await session_news(self._pool, changed)
            ]
            await self._emitter.emit(messages)
        except (*OUTAGES, *FAILURES, RedisError) as error:
            # Scores are healed by the next board; that a session ended is told again.
            self._changed |= changed
            log.warning("tick.lost", error=str(error), sessions=len(answered) + len(changed))


def score_update(quiz_session_id: QuizSessionId, changes: list[Change]) -> ScoreUpdate:
    """The first changes of a tick, and how many more there were."""
    return ScoreUpdate(quiz_session_id, tuple(changes[:MAX_CHANGES]), max(0, len(changes) - MAX_CHANGES))
