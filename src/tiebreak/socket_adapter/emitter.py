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

# Longer than redis-py tries a call again. The key is in the stream's slot of a Redis Cluster.
REMEMBERED_SECONDS = 60
REMEMBERED = "{%s}:emitted:%s"

# KEYS: the stream, the memory of this call. ARGV: seconds to remember it, length of the stream, uid, nsp, type, then
# the `data` of each entry. A call whose reply was lost is tried again and then does nothing.
APPEND_ONCE = """
if redis.call('EXISTS', KEYS[2]) == 1 then return end
for i = 6, #ARGV do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*',
    'uid', ARGV[3], 'nsp', ARGV[4], 'type', ARGV[5], 'data', ARGV[i])
end
redis.call('SET', KEYS[2], '', 'EX', ARGV[1])
"""


class Emitter:
    """Appends to the stream that every app server reads."""

    def __init__(self, redis: Redis) -> None:
        self._append_once = redis.register_script(APPEND_ONCE)
        self._uid = uuid4().hex

    async def emit(self, messages: Sequence[tuple[QuizSessionId, RoomMessage]]) -> None:
        """Send each message to the room of its quiz session, in order, all in one round trip.

        Each is sent once, even over a lost connection. Raises what Redis raises, after which nobody knows whether
        they were sent: sent again they do no harm, clients drop what is not newer.
        """
        if not messages:
            return
        broadcasts = (
            Broadcast(BroadcastOptions([str(quiz_session_id)]), Packet([message.event, payload_of(message)]))
            for quiz_session_id, message in messages
        )
        await self._append_once(
            keys=[STREAM, REMEMBERED % (STREAM, uuid4().hex)],
            args=[
                *(REMEMBERED_SECONDS, MAX_LENGTH, self._uid, NAMESPACE, BROADCAST),
                *(msgspec.json.encode(broadcast) for broadcast in broadcasts),
            ],
        )
