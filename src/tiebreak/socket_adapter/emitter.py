"""Sends messages to the rooms of quiz sessions, from any process: with sockets or without."""

from __future__ import annotations

from collections.abc import Sequence

from tiebreak.quiz.model import QuizSessionId
from tiebreak.redis_client import Redis
from tiebreak.socket_adapter.messages import RoomMessage, payload_of
from tiebreak.socket_adapter.redis_streams import emitter


class Emitter:
    """Appends to the stream that every app server reads."""

    def __init__(self, redis: Redis) -> None:
        self._emitter = emitter.Emitter(redis)

    async def emit(self, messages: Sequence[tuple[QuizSessionId, RoomMessage]]) -> None:
        """Send each message to the room of its quiz session, in order, all in one round trip.

        Each is sent once, even over a lost connection. Raises what Redis raises, after which nobody knows whether
        they were sent: sent again they do no harm, clients drop what is not newer.
        """
        await self._emitter.emit([emission(quiz_session_id, message) for quiz_session_id, message in messages])


def emission(quiz_session_id: QuizSessionId, message: RoomMessage) -> emitter.Emission:
    """Of each kind of message only the newest matters: it serves whoever was away, or does not keep up."""
    return emitter.Emission(
        [message.event, payload_of(message)],
        rooms=(str(quiz_session_id),),
        latest=True,
    )
