"""Sends messages to rooms, from any process: with sockets or without."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import msgspec

from tiebreak.quiz.model import QuizSessionId
from tiebreak.redis_client import Redis
from tiebreak.socket_adapter.cluster import (
    BROADCAST,
    MAX_LENGTH,
    NAMESPACE,
    STREAM,
    Broadcast,
    BroadcastOptions,
    Packet,
)
from tiebreak.socket_adapter.messages import RoomMessage, payload_of


class Emitter:
    """Appends to the stream that every app server reads."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._uid = uuid4().hex

    async def emit(self, messages: Sequence[tuple[QuizSessionId, RoomMessage]]) -> None:
        """Send each message to the room of its quiz session, all in one round trip.

        Raises what Redis raises. A repeated message does no harm: clients drop what is not newer.
        """
        if not messages:
            return
        async with self._redis.pipeline(transaction=False) as pipe:
            for quiz_session_id, message in messages:
                broadcast = Broadcast(
                    BroadcastOptions([str(quiz_session_id)]), Packet([message.event, payload_of(message)])
                )
                pipe.xadd(
                    STREAM,
                    {"uid": self._uid, "nsp": NAMESPACE, "type": BROADCAST, "data": msgspec.json.encode(broadcast)},
                    maxlen=MAX_LENGTH,
                    approximate=True,
                )
            await pipe.execute()
