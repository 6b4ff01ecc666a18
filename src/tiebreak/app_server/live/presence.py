"""Who is there: whose screens are in a live session's room, on whatever app server.

Each app server says every few seconds whom it sees; what it does not repeat is forgotten. Nobody but the early closing
of a question depends on it, and a question closes without it too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

import structlog

from tiebreak.app_server.live.game_clock import GameClock
from tiebreak.cache.keys import presence_key
from tiebreak.clock import Clock
from tiebreak.quiz.model import QuizSessionId, UserId
from tiebreak.redis_client import OUTAGES, Redis, RedisError
from tiebreak.socket_adapter.redis_streams.patience import end_if_cancelled

log = structlog.get_logger()

SAY_SECONDS = 2.0
BELIEVED_SECONDS = 6.0


class Presence:
    """The users in the rooms of live sessions."""

    def __init__(self, redis: Redis, game_clock: GameClock, clock: Clock) -> None:
        self._redis = redis
        self._game_clock = game_clock
        self._clock = clock
        self._users_in: Callable[[str], Collection[UUID]] = lambda _: ()
        self._followed: set[QuizSessionId] = set()

    def follow(self, quiz_session_id: QuizSessionId) -> None:
        """A screen has entered the room of this live session."""
        self._followed.add(quiz_session_id)

    @property
    def followed(self) -> Collection[QuizSessionId]:
        """Live sessions with screens on this server."""
        return self._followed

    async def of(self, quiz_session_id: QuizSessionId) -> set[UserId]:
        """Who is there, on this server now, on others a moment ago. Raises what Redis raises."""
        elsewhere: Any = await self._redis.zrangebyscore(
            presence_key(quiz_session_id), self._game_clock.now_ms(), "+inf"
        )
        here = {UserId(it) for it in self._users_in(str(quiz_session_id))}
        return here | {UserId(UUID(it.decode())) for it in elsewhere}

    async def run(self, users_in: Callable[[str], Collection[UUID]]) -> None:
        """Say who is here, for ever. `users_in` says whose sockets of this server are in a room."""
        self._users_in = users_in
        while True:
            end_if_cancelled()
            try:
                await self._say()
            except (*OUTAGES, RedisError) as error:
                log.info("presence.unsaid", error=repr(error))
            await self._clock.sleep(SAY_SECONDS)

    async def _say(self) -> None:
        now_ms = self._game_clock.now_ms()
        until_ms = now_ms + int(BELIEVED_SECONDS * 1000)
        async with self._redis.pipeline(transaction=False) as pipe:
            for quiz_session_id in list(self._followed):
                users = self._users_in(str(quiz_session_id))
                if not users:
                    self._followed.discard(quiz_session_id)
                    continue
                key = presence_key(quiz_session_id)
                pipe.zadd(key, {str(user): until_ms for user in users})
                pipe.zremrangebyscore(key, "-inf", now_ms)
                pipe.expire(key, int(BELIEVED_SECONDS * 10))
            await pipe.execute()
