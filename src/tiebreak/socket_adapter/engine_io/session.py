"""One client, over whatever transport it uses: heartbeat, upgrade and end (Engine.IO protocol, version 4)."""

from __future__ import annotations

import asyncio
import enum
from typing import TYPE_CHECKING, Protocol, TypeAlias

from tiebreak.socket_adapter.engine_io import packets
from tiebreak.socket_adapter.engine_io.outgoing import PING, PROBE_ANSWER, Outgoing
from tiebreak.socket_adapter.engine_io.packets import Message, Packet
from tiebreak.socket_adapter.engine_io.polling import Polling
from tiebreak.socket_adapter.engine_io.request import Request
from tiebreak.socket_adapter.engine_io.web_socket import WebSocket

if TYPE_CHECKING:
    from tiebreak.socket_adapter.engine_io.server import EngineServer

# Node's word for the end of the server's sessions when it closes.
SHUTTING_DOWN = "server shutting down"

Transport: TypeAlias = WebSocket | Polling


class Listener(Protocol):
    """Whoever talks with the client over a session. Called from the event loop: it must not block, nor raise."""

    def received(self, message: Message) -> None:
        """The client sent this."""
        ...

    def route_changed(self) -> None:
        """`Session.route` is another one now."""
        ...

    def closed(self, reason: str) -> None:
        """The session has ended. `reason` is one of Node's words, such as "transport close" or "ping timeout"."""
        ...


class Nobody:
    """Listens when a session has ended: it and its listener need not refer to each other any more."""

    def received(self, message: Message) -> None:
        """Too late."""

    def route_changed(self) -> None:
        """Too late."""

    def closed(self, reason: str) -> None:
        """Known already."""


NOBODY = Nobody()


class Upgrade(enum.Enum):
    """How far a polling client is on its way to a WebSocket."""

    NONE = enum.auto()
    PROBED = enum.auto()
    DONE = enum.auto()


class Session:
    """A client with its id. Made by EngineServer; `listener` is set before anything is received."""

    __slots__ = (
        *("_heard_at", "_leaving", "_pinged_at", "_probe", "_probe_tick", "_tick", "_upgrade"),
        *("engine", "id", "is_held", "is_open", "listener", "request", "round_trip_seconds", "transport"),
    )

    listener: Listener

    def __init__(self, engine: EngineServer, session_id: str, request: Request, transport: Transport) -> None:
        self.engine = engine
        self.id = session_id
        self.request = request
        self.transport = transport
        self.is_open = True
        # The listener wants no more messages for the moment.
        self.is_held = False
        # After an upgrade: the transport before, while a POST it took is not done with.
        self._leaving: Polling | None = None
        self._probe: WebSocket | None = None
        self._probe_tick = 0
        self._upgrade = Upgrade.NONE if isinstance(transport, Polling) else Upgrade.DONE
        self._heard_at = asyncio.get_running_loop().time()
        self._pinged_at = 0.0
        # The shortest that a ping and its answer took; a client can make it longer, never shorter. None: none yet.
        self.round_trip_seconds: float | None = None
        self._tick = self._beat_in(engine.options.ping_interval_seconds)

    # --- for the listener ----------------------------------------------------------------------------------------

    @property
    def route(self) -> asyncio.Transport | None:
        """Where `Outgoing.frames` may be written directly; None: only `send` will do."""
        return self.transport.route if self.is_open else None

    def send(self, outgoing: Outgoing, volatile: str | None = None) -> None:
        """Send in order.

        A message with a name in `volatile` is left out for a client that does not keep up; it gets the newest of that
        name once it does.
        """
        if self.is_open:
            self.transport.send(outgoing, volatile)

    def close(self, reason: str = "forced close") -> None:
        """End the session: what was sent before is delivered first."""
        if self.is_open:
            if isinstance(self.transport, Polling) and not self.transport.is_polled:
                self.engine.keep_last_words(self.id, self.transport)
            self.break_off(reason)

    def break_off(self, reason: str) -> None:
        """End the session: a client that is not polling just now will not hear of it."""
        if self.is_open:
            transport = self.transport
            self._end(reason)
            transport.close(reason=reason)

    def pause(self) -> None:
        """Hand over no more messages."""
        self.is_held = True
        self.transport.pause()

    def resume(self) -> None:
        """Hand messages over again, those first that were held back."""
        if self._pinged_at > self._heard_at:
            # Its answer may be among them: the time in which we did not read is not the client's.
            self._pinged_at = asyncio.get_running_loop().time()
        self.is_held = False
        # What was posted before an upgrade comes before what the WebSocket brings.
        (self._leaving or self.transport).resume()

    # --- from the transports -------------------------------------------------------------------------------------

    def received(self, transport: Transport, packet: Packet) -> None:
        """A packet came in."""
        if transport is not self.transport and transport is not self._leaving:
            self._received_by_probe(packet)
        elif packet.type == packets.MESSAGE:
            self.engine.counts.messages_received += 1
            self.listener.received(packet.data)
        elif packet.type == packets.PONG:
            self._answered()
        elif packet.type == packets.CLOSE:
            self.break_off("transport close")
        elif packet.type == packets.PING:
            # Heartbeats come from the server since version 4.
            self.break_off("transport error")

    def _answered(self) -> None:
        """The answer to a ping, or one that nobody asked for."""
        now = asyncio.get_running_loop().time()
        if self._pinged_at > self._heard_at:
            took = now - self._pinged_at
            if self.round_trip_seconds is None or took < self.round_trip_seconds:
                self.round_trip_seconds = took
        self._heard_at = now

    def transport_lost(self, transport: Transport, reason: str) -> None:
        """A transport has failed or was closed by the client. Losing one that was only tried does no harm."""
        if transport is self.transport:
            self._end(reason)
        elif transport is self._probe:
            self._drop_probe()

    def posted(self) -> None:
        """A POST is done with."""
        if self._leaving:
            self._leaving.session = None
            self._leaving = None
            if not self.is_held:
                self.transport.resume()

    def probe(self, web_socket: WebSocket) -> None:
        """A WebSocket has opened with this session's id: it may become its transport."""
        web_socket.session = self
        if self._upgrade is Upgrade.DONE or self._probe:
            web_socket.close(reason="This session has another transport already.")
            return
        self._probe = web_socket
        self._probe_tick = self.engine.wheel.call_later(
            self.engine.options.upgrade_timeout_seconds, self._give_up_probe
        )

    @property
    def is_upgrading(self) -> bool:
        """The client has seen that the WebSocket works: a poll that waits should end."""
        return self._upgrade is Upgrade.PROBED

    @property
    def is_overdue(self) -> bool:
        """No answer to a ping for too long. Exact, while the wheel's next look may be a tick away."""
        if self.is_held:
            return False
        options = self.engine.options
        pinged_at = self._pinged_at
        if pinged_at <= self._heard_at:
            pinged_at = self._heard_at + options.ping_interval_seconds
        return asyncio.get_running_loop().time() >= pinged_at + options.ping_timeout_seconds

    # --- inside --------------------------------------------------------------------------------------------------

    def _received_by_probe(self, packet: Packet) -> None:
        web_socket = self._probe
        if web_socket is None:
            return
        if packet == (packets.PING, "probe"):
            web_socket.send(PROBE_ANSWER)
            self._upgrade = Upgrade.PROBED
            if isinstance(self.transport, Polling):
                self.transport.end_poll()
        elif packet.type == packets.UPGRADE and self.is_upgrading and isinstance(self.transport, Polling):
            self._change(self.transport, web_socket)
        else:
            web_socket.close(reason="A probe was expected.")
            self._drop_probe()

    def _change(self, polling: Polling, web_socket: WebSocket) -> None:
        self.engine.wheel.cancel(self._probe_tick, self._give_up_probe)
        self._probe = None
        self._upgrade = Upgrade.DONE
        self.transport = web_socket
        if self.is_held or polling.is_posting:
            web_socket.pause()
        if polling.is_posting:
            self._leaving = polling
        else:
            polling.session = None
        for outgoing in polling.hand_over():
            web_socket.send(outgoing)
        self.listener.route_changed()

    def _give_up_probe(self) -> None:
        if self._probe:
            self._probe.close(reason="The upgrade took too long.")
            self._drop_probe()

    def _drop_probe(self) -> None:
        self.engine.wheel.cancel(self._probe_tick, self._give_up_probe)
        self._probe = None
        if self._upgrade is Upgrade.PROBED:
            self._upgrade = Upgrade.NONE

    def _beat_in(self, seconds: float) -> int:
        # A tick early, for the wheel calls up to a tick late.
        return self.engine.wheel.call_later(seconds - self.engine.options.tick_seconds, self._beat)

    def _beat(self) -> None:
        if not self.is_open:
            return
        options = self.engine.options
        now = asyncio.get_running_loop().time()
        if self._pinged_at > self._heard_at:
            if self.is_overdue:
                self.break_off("ping timeout")
            else:
                self._tick = self.engine.wheel.call_later(options.tick_seconds, self._beat)
            return
        ping_in = self._heard_at + options.ping_interval_seconds - now
        if ping_in > options.tick_seconds:
            self._tick = self._beat_in(ping_in)
            return
        self._pinged_at = now
        self.send(PING)
        self._tick = self.engine.wheel.call_later(ping_in + options.ping_timeout_seconds, self._beat)

    def _end(self, reason: str) -> None:
        if not self.is_open:
            return
        self.is_open = False
        self.engine.wheel.cancel(self._tick, self._beat)
        if self._probe:
            self._probe.close()
            self._drop_probe()
        if polling := self._leaving or (self.transport if isinstance(self.transport, Polling) else None):
            polling.session = None
            polling.resume()
        self.engine.forget(self, reason)
        listener, self.listener = self.listener, NOBODY
        listener.closed(reason)
