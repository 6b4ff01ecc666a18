"""Sends messages to rooms from a process without sockets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tiebreak.redis_client import Redis
from tiebreak.socket_adapter.redis_streams.appending import MAX_LENGTH, Entry, append_once
from tiebreak.socket_adapter.redis_streams.messages import (
    Broadcast,
    Disconnection,
    EventPacket,
    MessageData,
    MessageType,
    RoomChange,
)
from tiebreak.socket_adapter.redis_streams.stream_names import stream_of
from tiebreak.socket_adapter.redis_streams.wire import encode_entry
from tiebreak.socket_adapter.socket_io.adapter import BroadcastOptions

# Node's name for a sender that is no server.
UID = "emitter"


class Emission(msgspec.Struct, frozen=True):
    """An event for the sockets in any of `rooms`, or all, but none in `except_`.

    `latest`: the next of this name to the same rooms makes it worthless. A client that was away is not sent it again.
    """

    data: list[Any]
    rooms: Sequence[str] = ()
    except_: Sequence[str] = ()
    latest: bool = False

    @property
    def opts(self) -> BroadcastOptions:
        flags = {"latest": True} if self.latest else {}
        return BroadcastOptions(tuple(self.rooms), tuple(self.except_), flags)


class Emitter:
    """Appends to the stream that every server reads.

    Each call is one round trip and takes effect once, even over a lost connection. All raise what Redis raises, after
    which nobody knows whether it was appended.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        namespace: str = "/",
        stream: str = "socket.io",
        stream_count: int = 1,
        max_length: int = MAX_LENGTH,
    ) -> None:
        self._redis = redis
        self._namespace = namespace
        self._stream = stream_of(namespace, stream, stream_count)
        self._max_length = max_length

    async def emit(self, emissions: Sequence[Emission]) -> None:
        """Send each, in order, with nothing of others between them."""
        await self._append(
            [
                (MessageType.BROADCAST, Broadcast(emission.opts, EventPacket(emission.data, nsp=self._namespace)))
                for emission in emissions
            ]
        )

    async def sockets_join(self, rooms: Sequence[str], *, to: Sequence[str] = (), except_: Sequence[str] = ()) -> None:
        """Sockets in `to`, or all, join `rooms`."""
        opts = BroadcastOptions(tuple(to), tuple(except_))
        await self._append([(MessageType.SOCKETS_JOIN, RoomChange(opts, tuple(rooms)))])

    async def sockets_leave(self, rooms: Sequence[str], *, to: Sequence[str] = (), except_: Sequence[str] = ()) -> None:
        """Sockets in `to`, or all, leave `rooms`."""
        opts = BroadcastOptions(tuple(to), tuple(except_))
        await self._append([(MessageType.SOCKETS_LEAVE, RoomChange(opts, tuple(rooms)))])

    async def disconnect_sockets(
        self, *, to: Sequence[str] = (), except_: Sequence[str] = (), close: bool = False
    ) -> None:
        """Disconnect sockets in `to`, or all; with `close`, their connections too."""
        opts = BroadcastOptions(tuple(to), tuple(except_))
        await self._append([(MessageType.DISCONNECT_SOCKETS, Disconnection(opts, close))])

    async def _append(self, messages: Sequence[tuple[MessageType, MessageData]]) -> None:
        entries = [
            Entry(n, self._namespace, type_, encode_entry(data)) for n, (type_, data) in enumerate(messages, start=1)
        ]
        if entries:
            await append_once(self._redis, self._stream, UID, entries, max_length=self._max_length)
