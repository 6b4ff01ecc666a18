"""What servers tell each other: the messages of Node's ClusterAdapter (socket.io-adapter 2.5).

Unknown fields are passed over: a newer server may say more than we know.
"""

from __future__ import annotations

import enum
from typing import Any, Literal, TypeAlias

import msgspec

from tiebreak.socket_adapter.socket_io.adapter import BroadcastOptions, RemoteSocket

EVENT_PACKET = 2
# JSON has no `undefined`, and Node takes `null` for a value; msgpack of Node writes `undefined` as nil.
Absent: TypeAlias = msgspec.UnsetType | None


class MessageType(enum.IntEnum):
    """The number of a message on the wire."""

    INITIAL_HEARTBEAT = 1
    HEARTBEAT = 2
    BROADCAST = 3
    SOCKETS_JOIN = 4
    SOCKETS_LEAVE = 5
    DISCONNECT_SOCKETS = 6
    FETCH_SOCKETS = 7
    FETCH_SOCKETS_RESPONSE = 8
    SERVER_SIDE_EMIT = 9
    SERVER_SIDE_EMIT_RESPONSE = 10
    BROADCAST_CLIENT_COUNT = 11
    BROADCAST_ACK = 12
    ADAPTER_CLOSE = 13


class EventPacket(msgspec.Struct):
    """A Socket.IO event packet: `data` is its name and its arguments. With an id it asks for an acknowledgement."""

    data: list[Any]
    type: Literal[2] = EVENT_PACKET
    nsp: str | Absent = msgspec.UNSET
    id: int | Absent = msgspec.UNSET


class Broadcast(msgspec.Struct, rename="camel"):
    """An event for sockets. With a request id each server says to how many, and passes their acknowledgements on."""

    opts: BroadcastOptions
    packet: EventPacket
    request_id: str | Absent = msgspec.UNSET

    @property
    def replayable(self) -> bool:
        """Whether a client that comes back gets it: Node gives no offset to other messages either."""
        return not (self.request_id or isinstance(self.packet.id, int) or self.opts.is_volatile)


class RoomChange(msgspec.Struct):
    """Sockets that join or leave rooms."""

    opts: BroadcastOptions
    rooms: tuple[str, ...]


class Disconnection(msgspec.Struct):
    """Sockets that are disconnected; `close`: their connection too, with their sockets in other namespaces."""

    opts: BroadcastOptions
    close: bool | None = False


class SocketsWanted(msgspec.Struct, rename="camel"):
    """A server wants to know everybody's sockets."""

    opts: BroadcastOptions
    request_id: str


class SocketsFetched(msgspec.Struct, rename="camel"):
    """One server's answer."""

    request_id: str
    sockets: list[RemoteSocket]


class ServerSideEmit(msgspec.Struct, rename="camel"):
    """An event for servers, not for sockets."""

    packet: list[Any]
    request_id: str | Absent = msgspec.UNSET


class Answered(msgspec.Struct, rename="camel"):
    """A server's answer to such an event, or one client's acknowledgement of a broadcast."""

    request_id: str
    packet: Any = None


class ClientCount(msgspec.Struct, rename="camel"):
    """To how many clients a server has sent a broadcast that is to be acknowledged."""

    request_id: str
    client_count: int


MessageData: TypeAlias = (
    Broadcast | RoomChange | Disconnection | SocketsWanted | SocketsFetched | ServerSideEmit | Answered | ClientCount
)

DATA: dict[MessageType, type[MessageData]] = {
    MessageType.BROADCAST: Broadcast,
    MessageType.SOCKETS_JOIN: RoomChange,
    MessageType.SOCKETS_LEAVE: RoomChange,
    MessageType.DISCONNECT_SOCKETS: Disconnection,
    MessageType.FETCH_SOCKETS: SocketsWanted,
    MessageType.FETCH_SOCKETS_RESPONSE: SocketsFetched,
    MessageType.SERVER_SIDE_EMIT: ServerSideEmit,
    MessageType.SERVER_SIDE_EMIT_RESPONSE: Answered,
    MessageType.BROADCAST_CLIENT_COUNT: ClientCount,
    MessageType.BROADCAST_ACK: Answered,
}


class Message(msgspec.Struct):
    """A message and who sent it. `data` fits the type by DATA; heartbeats have none."""

    type: MessageType
    uid: str
    nsp: str
    data: MessageData | None
