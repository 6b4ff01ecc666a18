"""A client's place in a namespace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from tiebreak.socket_adapter.engine_io.outgoing import message
from tiebreak.socket_adapter.engine_io.session import SHUTTING_DOWN
from tiebreak.socket_adapter.socket_io.adapter import BroadcastOptions
from tiebreak.socket_adapter.socket_io.packets import Packet, PacketType, encode

if TYPE_CHECKING:
    from tiebreak.socket_adapter.socket_io.client import Client
    from tiebreak.socket_adapter.socket_io.namespace import Namespace

# Reasons after which the client comes back by itself, and may be recovered.
RECOVERABLE = frozenset(
    {
        *("transport error", "transport close", "ping timeout", "forced close"),
        *(SHUTTING_DOWN, "too slow: buffer full", "too slow: stalled"),
    }
)

OnAck: TypeAlias = Callable[[list[Any] | None], None]


class SocketGone(ConnectionError):
    """The socket disconnected before it acknowledged."""


class Socket:
    """`id` is public, `pid` the client's secret for coming back.

    `data` and `context` belong to the application; `data` is JSON, and comes back with the client.
    `recovered`: the client has its rooms, its data and all messages again, as if it had never been away.
    """

    __slots__ = (
        "_acks",
        "auth",
        "client",
        "context",
        "data",
        "id",
        "issued_ms",
        "joined",
        "namespace",
        "pid",
        "recovered",
    )

    def __init__(
        self,
        namespace: Namespace,
        client: Client,
        socket_id: str,
        pid: str | None,
        auth: dict[str, Any],
        issued_ms: int,
    ) -> None:
        self.namespace = namespace
        self.client = client
        self.id = socket_id
        self.pid = pid
        self.auth = auth
        self.issued_ms = issued_ms
        self.data: dict[str, Any] = {}
        self.context: Any = None
        self.recovered = False
        self.joined: set[str] = set()
        self._acks: dict[int, OnAck] | None = None

    # --- rooms ---------------------------------------------------------------------------------------------------

    @property
    def rooms(self) -> Collection[str]:
        """The rooms it has joined, and its own."""
        return {self.id, *self.joined}

    @property
    def is_connected(self) -> bool:
        return self.namespace.rooms.sockets.get(self.id) is self

    def join(self, *rooms: str) -> None:
        """Receive what is emitted to these rooms; those it is in already make no difference."""
        if not self.is_connected:
            return
        for name in rooms:
            if name not in self.joined and name != self.id:
                self.joined.add(name)
                self.namespace.rooms.join(self, name)
        self.changed()

    def leave(self, *rooms: str) -> None:
        """Receive it no more."""
        for name in rooms:
            if name in self.joined:
                self.joined.remove(name)
                self.namespace.rooms.leave(self, name)
        self.changed()

    def changed(self) -> None:
        """`data` is to be saved: called by the application after changing it."""
        if self.pid and self.is_connected:
            self.namespace.adapter.connected(self)

    # --- messages ------------------------------------------------------------------------------------------------

    async def emit(self, event: str, *arguments: Any, volatile: bool = False) -> None:
        """Send an event. Where sockets can be recovered, it is kept for them unless it is volatile."""
        data = [event, *arguments]
        if self.namespace.recovery_ms and not volatile:
            await self.namespace.adapter.broadcast(data, BroadcastOptions(rooms=(self.id,)))
        else:
            self.send(Packet(PacketType.EVENT, self.namespace.name, data), f"{event} {self.id}" if volatile else None)

    async def emit_with_ack(self, event: str, *arguments: Any, timeout_seconds: float = 5.0) -> Any:
        """The client's acknowledgement, its first argument. Raises TimeoutError, SocketGone."""
        if not self.is_connected:
            raise SocketGone(f"{self.id} is not connected: {event!r} was not sent")
        answered: asyncio.Future[list[Any] | None] = asyncio.get_running_loop().create_future()
        ack_id = self.namespace.next_ack_id()
        self.expect_ack(ack_id, partial(settle, answered))
        self.send(Packet(PacketType.EVENT, self.namespace.name, [event, *arguments], ack_id))
        try:
            async with asyncio.timeout(timeout_seconds):
                arguments_back = await answered
        finally:
            self.forget_ack(ack_id)
        if arguments_back is None:
            raise SocketGone(f"{self.id} disconnected before it acknowledged {event!r}")
        return arguments_back[0] if arguments_back else None

    def expect_ack(self, ack_id: int, on_ack: OnAck) -> None:
        """`on_ack` gets the arguments of the acknowledgement, or None when the socket has gone without one."""
        if self._acks is None:
            self._acks = {}
        self._acks[ack_id] = on_ack

    def forget_ack(self, ack_id: int) -> None:
        if self._acks:
            self._acks.pop(ack_id, None)

    def acknowledged(self, ack_id: int | None, arguments: list[Any]) -> None:
        """The client acknowledged; ids nobody waits for are ignored."""
        if self._acks and ack_id is not None and (on_ack := self._acks.pop(ack_id, None)):
            on_ack(arguments)

    def send(self, packet: Packet, volatile: str | None = None) -> None:
        """Write a packet."""
        self.client.send(message(*encode(packet)), volatile)

    # --- the end -------------------------------------------------------------------------------------------------

    def disconnect(self, close: bool = False) -> None:
        """Take it out of the namespace, or, with `close`, close the connection under it: it has to come back anew."""
        if not self.is_connected:
            return
        self.send(Packet(PacketType.DISCONNECT, self.namespace.name))
        self.ended("server namespace disconnect")
        self.client.drop_waiting(self)
        if close:
            self.client.close()

    def ended(self, reason: str) -> None:
        """The namespace, and whoever waits for an acknowledgement, hear of the end."""
        if not self.is_connected:
            return
        adapter = self.namespace.adapter
        if self.pid:
            (adapter.dropped if reason in RECOVERABLE else adapter.left)(self)
        self.namespace.rooms.remove(self)
        self.client.forget(self)
        acks, self._acks = self._acks, None
        for on_ack in (acks or {}).values():
            on_ack(None)
        self.namespace.disconnected(self, reason)

    @property
    def handshake(self) -> dict[str, Any]:
        """The request the connection began with, under the names Node's servers use."""
        request = self.client.session.request
        headers = request.headers
        return {
            "headers": headers,
            "time": self.issued_ms,
            "address": request.address,
            "xdomain": "origin" in headers,
            "secure": request.secure,
            "issued": self.issued_ms,
            "url": request.url,
            "query": request.query,
            "auth": self.auth,
        }


def settle(answered: asyncio.Future[list[Any] | None], arguments: list[Any] | None) -> None:
    if not answered.done():
        answered.set_result(arguments)
