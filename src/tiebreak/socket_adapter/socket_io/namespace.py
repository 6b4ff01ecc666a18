"""A namespace: who may enter, what its events do, and how everyone in it is reached."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import structlog

from tiebreak.socket_adapter.engine_io.outgoing import message
from tiebreak.socket_adapter.socket_io.adapter import (
    Adapter,
    BroadcastOptions,
    OnAck,
    OnClientCount,
    Restored,
    SavedSession,
)
from tiebreak.socket_adapter.socket_io.broadcast import Broadcast
from tiebreak.socket_adapter.socket_io.packets import Packet, PacketType, encode
from tiebreak.socket_adapter.socket_io.rooms import Rooms
from tiebreak.socket_adapter.socket_io.socket import Socket

if TYPE_CHECKING:
    from tiebreak.socket_adapter.socket_io.client import Client
    from tiebreak.socket_adapter.socket_io.server import Server

log = structlog.get_logger()

# The arguments of an event; what it returns is acknowledged, an argument each.
Handler: TypeAlias = Callable[[Socket, list[Any]], Awaitable[Sequence[Any] | None]]
ServerSideHandler: TypeAlias = Callable[[list[Any]], Awaitable[Any]]
DEFAULT_ACK_TIMEOUT_MS = 5_000
# Between the CONNECT and what a connection handler sends: clients that first listen when they are connected, those of
# the official test suite among them, miss what comes in the same read.
GREETING_PAUSE_SECONDS = 0.005


class ConnectRefused(Exception):
    """Raised by whoever admits sockets: the client's connect_error gets the message and the data."""

    def __init__(self, message: str, data: object = None) -> None:
        super().__init__(message)
        self.data = data


class Namespace(Broadcast):
    """Made by Server.of. Emitting on it reaches everyone; `to` and `except_` choose."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__(self, BroadcastOptions())
        self.server = server
        self.name = name
        self.rooms = Rooms()
        self.adapter: Adapter = server.adapter_for(self)
        self._admit: Callable[[Socket], Awaitable[None]] | None = None
        self._on_connection: Callable[[Socket], Awaitable[None]] | None = None
        self._on_recovered: Callable[[Socket], None] | None = None
        self._on_disconnect: Callable[[Socket, str], None] | None = None
        self._handlers: dict[str, Handler] = {}
        self._any_handler: Callable[[str], Handler] | None = None
        self._server_side_handlers: dict[str, ServerSideHandler] = {}
        self._ack_ids = itertools.count()

    # --- what the application says -------------------------------------------------------------------------------

    def admit_by(self, admit: Callable[[Socket], Awaitable[None]]) -> None:
        """`admit` sees each socket before it is let in, `auth` and `handshake` at hand, also one that comes back.

        It raises ConnectRefused, or writes who it is into `socket.data`. A socket that comes back is recovered only if
        what is written there is what was there before: it belongs to the same user.
        """
        self._admit = admit

    def on_connection(self, handler: Callable[[Socket], Awaitable[None]]) -> None:
        """Called when a socket is in, before any of its events is handled."""
        self._on_connection = handler

    def on_disconnect(self, handler: Callable[[Socket, str], None]) -> None:
        """Called with the reason when a socket is gone: once for each that was admitted, even if it never was in."""
        self._on_disconnect = handler

    def on_recovered(self, handler: Callable[[Socket], None]) -> None:
        """Called when a socket is in its rooms again. It has all it missed but what only the newest matters of."""
        self._on_recovered = handler

    def on(self, event: str, handler: Handler) -> None:
        """Handle an event; of two for the same event, the later counts."""
        self._handlers[event] = handler

    def on_any(self, handler: Callable[[str], Handler]) -> None:
        """`handler` gives the one for an event that has none."""
        self._any_handler = handler

    def on_server_side(self, event: str, handler: ServerSideHandler) -> None:
        """Handle what another server emits to servers."""
        self._server_side_handlers[event] = handler

    async def server_side_emit(self, event: str, *arguments: Any) -> None:
        """Emit to all other servers of the cluster."""
        await self.adapter.server_side_emit([event, *arguments])

    async def server_side_emit_with_ack(self, event: str, *arguments: Any, timeout_seconds: float = 5.0) -> list[Any]:
        """What the other servers answer. Raises TimeoutError if not all do."""
        return await self.adapter.server_side_emit_with_ack([event, *arguments], timeout_seconds)

    # --- for clients ---------------------------------------------------------------------------------------------

    @property
    def recovery_ms(self) -> int:
        return round(self.server.options.recovery_seconds * 1000)

    def handler(self, event: str) -> Handler | None:
        return self._handlers.get(event) or (self._any_handler(event) if self._any_handler else None)

    def next_ack_id(self) -> int:
        return next(self._ack_ids)

    async def admit(self, client: Client, auth: dict[str, Any]) -> Socket | None:
        """Let a client in, or refuse it: then there is no socket."""
        pid = secrets.token_urlsafe(15) if self.recovery_ms else None
        socket = Socket(self, client, secrets.token_urlsafe(15), pid, auth, int(time.time() * 1000))
        try:
            if self._admit:
                await self._admit(socket)
            restored = await self._restore(auth)
        except ConnectRefused as refusal:
            error = {"message": str(refusal)} | ({} if refusal.data is None else {"data": refusal.data})
            client.refuse(self.name, error)
            return None
        except Exception as error:
            log.error("socket.admission_failed", exc_info=error)
            client.refuse(self.name, {"message": "The server could not let you in: try again."})
            return None
        # No await from here to the missed messages: what is emitted meanwhile must come after them.
        if not client.session.is_open:
            self.disconnected(socket, "transport close")
            return None
        if restored and belongs_to(socket, restored):
            self._take_up(socket, restored)
        client.add(socket)
        self.rooms.add(socket)
        for room in socket.joined:
            self.rooms.join(socket, room)
        ids = {"sid": socket.id} | ({"pid": socket.pid} if socket.pid else {})
        socket.send(Packet(PacketType.CONNECT, self.name, ids))
        if socket.recovered and restored:
            for data in restored.missed:
                socket.send(Packet(PacketType.EVENT, self.name, data))
        if socket.pid:
            self.adapter.connected(socket)
        if socket.recovered and self._on_recovered:
            self._on_recovered(socket)
        return socket

    async def greet(self, socket: Socket) -> None:
        """Let the application know of a socket that is in."""
        if self._on_connection:
            await asyncio.sleep(GREETING_PAUSE_SECONDS)
            try:
                await self._on_connection(socket)
            except Exception as error:
                log.error("socket.connection_failed", exc_info=error)

    def disconnected(self, socket: Socket, reason: str) -> None:
        """A socket is gone."""
        if self._on_disconnect:
            try:
                self._on_disconnect(socket, reason)
            except Exception as error:
                log.error("socket.disconnection_failed", exc_info=error)

    async def _restore(self, auth: dict[str, Any]) -> Restored | None:
        pid, offset = auth.get("pid"), auth.get("offset")
        if not self.recovery_ms or not isinstance(pid, str) or not isinstance(offset, (str, type(None))):
            return None
        try:
            return await self.adapter.restore(pid, offset)
        except Exception as error:
            log.warning("socket.recovery_failed", error=str(error))
            return None

    def _take_up(self, socket: Socket, restored: Restored) -> None:
        session = restored.session
        if zombie := self.rooms.sockets.get(session.sid):
            # Its connection is broken, but we had not noticed.
            zombie.pid = None
            zombie.ended("transport close")
            zombie.client.session.close("transport close")
        socket.id, socket.pid = session.sid, session.pid
        socket.data = {**data_of(session), **socket.data}
        socket.joined = {room for room in session.rooms if room != session.sid}
        socket.recovered = True
        self.server.counts.recovered += 1

    # --- for the adapter -----------------------------------------------------------------------------------------

    @property
    def is_behind(self) -> bool:
        """More is waiting to be written than one should add to."""
        return self.server.engine.fan_out.is_behind

    def deliver(self, data: list[Any], opts: BroadcastOptions, *, offset: str | None = None) -> None:
        """Send an event to the sockets of this process that match; an offset lets clients ask for what came after."""
        if offset is not None and not opts.is_volatile:
            data = [*data, offset]
        self._deliver(Packet(PacketType.EVENT, self.name, data), opts)

    def deliver_with_ack(
        self, data: list[Any], opts: BroadcastOptions, on_client_count: OnClientCount, on_ack: OnAck
    ) -> None:
        """The same, and hear what each acknowledges it with, within the time the flags give."""
        ack_id = self.next_ack_id()
        sockets = self.matching(opts)

        def acknowledged(arguments: list[Any] | None) -> None:
            if arguments is not None:
                on_ack(arguments[0] if arguments else None)

        def forget() -> None:
            for socket in sockets:
                socket.forget_ack(ack_id)

        for socket in sockets:
            socket.expect_ack(ack_id, acknowledged)
        timeout_ms = opts.flags.get("timeout") or DEFAULT_ACK_TIMEOUT_MS
        self.server.engine.wheel.call_later(timeout_ms / 1000, forget)
        self._deliver(Packet(PacketType.EVENT, self.name, data, ack_id), opts)
        on_client_count(len(sockets))

    def matching(self, opts: BroadcastOptions) -> list[Socket]:
        return self.rooms.matching(opts)

    def serve(self, data: list[Any], respond: Callable[[Any], None] | None) -> None:
        """Another server emitted to servers."""
        event, *arguments = data
        if handler := self._server_side_handlers.get(event):
            self.server.start(serve(handler(arguments), respond))

    def _deliver(self, packet: Packet, opts: BroadcastOptions) -> None:
        recipients = self.rooms.recipients(opts)
        if not len(recipients):
            return
        volatile = f"{packet.data[0]} {opts.rooms}" if opts.is_volatile else None
        engine = self.server.engine
        engine.counts.messages_delivered += len(recipients)
        engine.fan_out.deliver(recipients, message(*encode(packet)), volatile)


async def serve(handling: Awaitable[Any], respond: Callable[[Any], None] | None) -> None:
    try:
        answer = await handling
    except Exception as error:
        log.error("server_side.failed", exc_info=error)
        return
    if respond:
        respond(answer)


def belongs_to(socket: Socket, restored: Restored) -> bool:
    """Whether a session that was saved is the same user's as the socket that wants it."""
    saved = data_of(restored.session)
    return all(saved.get(key) == value for key, value in socket.data.items())


def data_of(session: SavedSession) -> dict[str, Any]:
    """Node's applications may keep something else than an object in socket.data: that is not taken over."""
    return cast("dict[str, Any]", session.data) if isinstance(session.data, dict) else {}
