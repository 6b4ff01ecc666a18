"""What other servers, and the stream, say to one namespace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tiebreak.socket_adapter.redis_streams.appending import Appender
from tiebreak.socket_adapter.redis_streams.channels import Publisher
from tiebreak.socket_adapter.redis_streams.counts import Counts
from tiebreak.socket_adapter.redis_streams.messages import (
    Answered,
    Broadcast,
    ClientCount,
    Disconnection,
    Message,
    MessageData,
    MessageType,
    RoomChange,
    ServerSideEmit,
    SocketsFetched,
    SocketsWanted,
)
from tiebreak.socket_adapter.redis_streams.requests import Requests
from tiebreak.socket_adapter.redis_streams.ring import Ring
from tiebreak.socket_adapter.redis_streams.wire import Undecodable, decode_entry, decode_payload, encode_payload
from tiebreak.socket_adapter.socket_io.adapter import LocalNamespace, remote

BROADCAST = str(MessageType.BROADCAST.value).encode()


class Inbox:
    """Reads and carries out. Nothing that comes in makes it raise: trouble is counted, and the next message is read."""

    def __init__(
        self,
        namespace: LocalNamespace,
        *,
        uid: str,
        appender: Appender,
        publisher: Publisher,
        channel_prefix: str,
        requests: Requests,
        ring: Ring | None,
        counts: Counts,
    ) -> None:
        self._namespace = namespace
        self._uid = uid
        self._uid_bytes = uid.encode()
        self._appender = appender
        self._publisher = publisher
        self._channel_prefix = channel_prefix
        self._requests = requests
        self._ring = ring
        self._counts = counts

    def entry(self, entry_id: str, fields: dict[bytes, bytes], *, in_order: bool) -> None:
        """An entry of the stream: `in_order` unless it came by another stream than the namespace's own."""
        unwanted = fields.get(b"uid") == self._uid_bytes and not self._appender.read(_number(fields))
        try:
            message = decode_entry(fields)
        except Undecodable as error:
            self._counts.add(f"undecodable_{error.kind}", error)
            if self._ring and fields.get(b"type") == BROADCAST:
                self._ring.add(entry_id, (), (), None)
            return
        data = message.data
        offset = None
        if self._ring and isinstance(data, Broadcast) and data.replayable:
            if in_order:
                offset = entry_id
                self._ring.add(entry_id, data.opts.rooms, data.opts.except_, fields[b"data"])
            else:
                # It has no place in the order of offsets: no client can be told what it missed around it.
                self._ring.lose(self._ring.newest)
        if not unwanted:
            self._safely(message, offset)

    def payload(self, payload: bytes) -> None:
        """A message of PUB/SUB."""
        try:
            message = decode_payload(payload)
        except Undecodable as error:
            self._counts.add(f"undecodable_{error.kind}", error)
            return
        if message.uid != self._uid and message.nsp == self._namespace.name:
            self._safely(message, None)

    def _safely(self, message: Message, offset: str | None) -> None:
        try:
            self._carry_out(message, offset)
        except Exception as error:
            self._counts.add("failed", f"{message.type.name}: {error!r}", every=True)

    def _carry_out(self, message: Message, offset: str | None) -> None:
        here = self._namespace
        match message.data:
            case Broadcast(opts, packet, request_id):
                if request_id:
                    self._broadcast_with_ack(message.uid, request_id, message.data)
                else:
                    here.deliver(packet.data, opts, offset=offset)
            case RoomChange(opts, rooms):
                for socket in list(here.matching(opts)):
                    (socket.join if message.type is MessageType.SOCKETS_JOIN else socket.leave)(*rooms)
            case Disconnection(opts, close):
                for socket in list(here.matching(opts)):
                    socket.disconnect(bool(close))
            case SocketsWanted(opts, request_id):
                found = [remote(socket) for socket in here.matching(opts)]
                self._answer(message.uid, MessageType.FETCH_SOCKETS_RESPONSE, SocketsFetched(request_id, found))
            case ServerSideEmit(packet, request_id):
                here.serve(packet, self._answering_once(message.uid, request_id) if request_id else None)
            case SocketsFetched() | Answered() | ClientCount():
                self._requests.answer(message)
            case None:
                pass  # Heartbeats of another kind of adapter.

    def _broadcast_with_ack(self, uid: str, request_id: str, broadcast: Broadcast) -> None:
        def count(clients: int) -> None:
            self._answer(uid, MessageType.BROADCAST_CLIENT_COUNT, ClientCount(request_id, clients))

        def acknowledged(argument: object) -> None:
            self._answer(uid, MessageType.BROADCAST_ACK, Answered(request_id, argument))

        self._namespace.deliver_with_ack(broadcast.packet.data, broadcast.opts, count, acknowledged)

    def _answering_once(self, uid: str, request_id: str) -> Callable[[Any], None]:
        answered = False

        def answer(argument: object) -> None:
            nonlocal answered
            if not answered:
                answered = True
                self._answer(uid, MessageType.SERVER_SIDE_EMIT_RESPONSE, Answered(request_id, argument))

        return answer

    def _answer(self, to_uid: str, type_: MessageType, data: MessageData) -> None:
        payload = encode_payload(type_, self._uid, self._namespace.name, data)
        self._publisher.publish(f"{self._channel_prefix}#{self._namespace.name}#{to_uid}#", payload)


def _number(fields: dict[bytes, bytes]) -> int:
    n = fields.get(b"n", b"")
    return int(n) if n.isdigit() and len(n) < 20 else 0
