"""A client's connection and its sockets, one for each namespace it has connected to."""

from __future__ import annotations

import asyncio
import enum
from collections import deque
from typing import TYPE_CHECKING, Any

import structlog

from tiebreak.socket_adapter.engine_io import outgoing as encoded
from tiebreak.socket_adapter.engine_io.fan_out import Recipients
from tiebreak.socket_adapter.engine_io.outgoing import Outgoing
from tiebreak.socket_adapter.engine_io.session import SHUTTING_DOWN, Session
from tiebreak.socket_adapter.socket_io.packets import Decoder, Packet, PacketInvalid, PacketType, encode

if TYPE_CHECKING:
    from tiebreak.socket_adapter.socket_io.namespace import Namespace
    from tiebreak.socket_adapter.socket_io.server import Server
    from tiebreak.socket_adapter.socket_io.socket import Socket

log = structlog.get_logger()

# How soon to look again whether a client that took its time has been let in.
DECISION_SECONDS = 0.5


class Hold(enum.IntFlag):
    """Why nothing is read from a client."""

    NONE = 0
    CONNECTING = 1
    HANDLING = 2
    CREDITS = 4


class Client:
    """Listens to a session. What it sends is read no faster than it is handled."""

    __slots__ = (
        *("_connect_tick", "_credited_at", "_credits", "_decoder", "_events", "_greeting", "_handling", "_holds"),
        *("_server", "_sockets", "session"),
    )

    def __init__(self, server: Server, session: Session) -> None:
        self._server = server
        self.session = session
        self._decoder: Decoder | None = None
        self._sockets: tuple[Socket, ...] = ()
        self._holds = 0
        self._handling = 0
        self._greeting: tuple[Socket, ...] = ()
        # Events that wait for their turn, and a DISCONNECT behind them. An ACK never waits: a handler may want it.
        self._events: deque[tuple[Socket, Packet]] | None = None
        self._credits = float(server.options.message_burst)
        self._credited_at = 0.0
        self._connect_tick = self._await_connect()

    # --- from the session ----------------------------------------------------------------------------------------

    def received(self, message: str | bytes) -> None:
        try:
            if self._decoder is None:
                self._decoder = Decoder(max_attachments=self._server.options.max_attachments)
            packet = self._decoder.add(message)
            # Most clients send nothing most of the time: a decoder is kept only while attachments are due.
            if not self._decoder.waiting:
                self._decoder = None
            if packet:
                self._dispatch(packet)
        except PacketInvalid as error:
            log.debug("socket.packet_invalid", error=str(error))
            self.close("parse error")
        self._pay()

    def route_changed(self) -> None:
        for socket in self._sockets:
            socket.namespace.rooms.route_changed(socket)

    def closed(self, reason: str) -> None:
        self._server.engine.wheel.cancel(self._connect_tick, self._connect_timeout)
        if reason == SHUTTING_DOWN:
            self._events = None
        for socket in self._sockets:
            socket.ended(reason)

    # --- to the client -------------------------------------------------------------------------------------------

    def send(self, outgoing: Outgoing, volatile: str | None = None) -> None:
        """Send in the order of all that is sent to this client, broadcasts included."""
        fan_out = self._server.engine.fan_out
        if fan_out.is_busy:
            fan_out.deliver(Recipients((self.session,)), outgoing, volatile)
        else:
            self.session.send(outgoing, volatile)

    def close(self, reason: str = "forced close") -> None:
        """Close the connection after what was sent."""
        for socket in self._sockets:
            socket.ended(reason)
        self._server.engine.fan_out.afterwards(lambda: self.session.close(reason))

    def drop_waiting(self, socket: Socket) -> None:
        """Its events that are not handled yet are not to be: the server has ended it."""
        if self._events is not None:
            self._events = deque(event for event in self._events if event[0] is not socket)
            self._handle_next()

    def add(self, socket: Socket) -> None:
        """It has been let into a namespace."""
        self._sockets = (*self._sockets, socket)
        self._server.engine.wheel.cancel(self._connect_tick, self._connect_timeout)

    def forget(self, socket: Socket) -> None:
        """It is not in the namespace any more."""
        self._sockets = tuple(other for other in self._sockets if other is not socket)
        if not self._sockets and self.session.is_open:
            self._connect_tick = self._await_connect()

    # --- inside --------------------------------------------------------------------------------------------------

    def _dispatch(self, packet: Packet) -> None:
        socket = next((socket for socket in self._sockets if socket.namespace.name == packet.nsp), None)
        if packet.type is PacketType.CONNECT and socket is None and not self._holds & Hold.CONNECTING:
            self._connect(packet)
        elif socket is None or packet.type in {PacketType.CONNECT, PacketType.CONNECT_ERROR}:
            log.debug("socket.packet_out_of_turn", type=packet.type.name)
            self.close("parse error")
        elif packet.type is PacketType.ACK:
            socket.acknowledged(packet.id, packet.data)
        else:
            self._queue(socket, packet)

    def _connect(self, packet: Packet) -> None:
        namespace = self._server.namespaces.get(packet.nsp)
        if namespace is None:
            self.refuse(packet.nsp, {"message": "Invalid namespace"})
            return
        self._hold(Hold.CONNECTING)
        self._server.start(self._admit(namespace, packet.data or {}))

    async def _admit(self, namespace: Namespace, auth: dict[str, Any]) -> None:
        try:
            socket = await namespace.admit(self, auth)
            if socket:
                self._greeting = (*self._greeting, socket)
        finally:
            self._release(Hold.CONNECTING)
        if socket:
            try:
                await namespace.greet(socket)
            finally:
                self._greeting = tuple(other for other in self._greeting if other is not socket)
                self._handle_next()

    def refuse(self, namespace: str, error: dict[str, Any]) -> None:
        """Not let in; the client may try again on the same connection."""
        self.send(encoded.message(*encode(Packet(PacketType.CONNECT_ERROR, namespace, error))))

    def _queue(self, socket: Socket, packet: Packet) -> None:
        if self._events is None:
            if self._may_handle(socket):
                self._handle(socket, packet)
                return
            self._events = deque()
        self._events.append((socket, packet))
        if len(self._events) >= self._server.options.max_waiting:
            self._hold(Hold.HANDLING)
        self._handle_next()

    def _may_handle(self, socket: Socket) -> bool:
        return self._handling < self._server.options.max_handling and socket not in self._greeting

    def _handle_next(self) -> None:
        """Those whose turn has come; a socket that is being greeted holds up its own events only."""
        if self._events is None:
            return
        passed_over: deque[tuple[Socket, Packet]] = deque()
        while self._events and self._handling < self._server.options.max_handling:
            socket, packet = self._events.popleft()
            if self._may_handle(socket):
                self._handle(socket, packet)
            else:
                passed_over.append((socket, packet))
        if passed_over:
            self._events.extendleft(reversed(passed_over))
        if not self._events:
            self._events = None
            self._release(Hold.HANDLING)

    def _handle(self, socket: Socket, packet: Packet) -> None:
        if packet.type is PacketType.DISCONNECT:
            socket.ended("client namespace disconnect")
            return
        event, *arguments = packet.data
        handler = socket.namespace.handler(event)
        if handler is None:
            return
        self._handling += 1
        self._server.start(self._run(socket, packet, handler(socket, arguments)))

    async def _run(self, socket: Socket, packet: Packet, handling: Any) -> None:
        try:
            answer = await handling
            if packet.id is not None and answer is not None:
                self.send(encoded.message(*encode(Packet(PacketType.ACK, packet.nsp, list(answer), packet.id))))
        except Exception as error:
            log.error("message.failed", message=str(packet.data[0])[:40], exc_info=error)
        finally:
            self._handling -= 1
            self._handle_next()

    def _pay(self) -> None:
        rate = self._server.options.messages_per_second
        if rate is None:
            return
        now = asyncio.get_running_loop().time()
        earned = (now - self._credited_at) * rate
        self._credits = min(self._credits + earned, float(self._server.options.message_burst)) - 1
        self._credited_at = now
        if self._credits < 0 and not self._holds & Hold.CREDITS:
            self._server.counts.throttled += 1
            self._hold(Hold.CREDITS)
            self._server.engine.wheel.call_later(-self._credits / rate, self._credits_earned)

    def _credits_earned(self) -> None:
        self._release(Hold.CREDITS)

    def _hold(self, why: Hold) -> None:
        if not self._holds:
            self.session.pause()
        self._holds |= why

    def _release(self, why: Hold) -> None:
        was_held, self._holds = bool(self._holds), self._holds & ~why
        if was_held and not self._holds and self.session.is_open:
            self.session.resume()

    def _await_connect(self) -> int:
        seconds = self._server.options.connect_timeout_seconds
        return self._server.engine.wheel.call_later(seconds, self._connect_timeout)

    def _connect_timeout(self) -> None:
        if self._sockets or not self.session.is_open:
            return
        if self._holds & Hold.CONNECTING:
            # Whether it is let in is being decided; afterwards there is no more time.
            self._connect_tick = self._server.engine.wheel.call_later(DECISION_SECONDS, self._connect_timeout)
        else:
            self.close("no namespace joined in time")
