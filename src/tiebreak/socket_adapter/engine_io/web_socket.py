"""A WebSocket as an asyncio protocol: uvicorn hands a connection over when it asks to become one.

No task, no queue and no coroutine belongs to a connection: bytes come in by `data_received`, go out by the transport.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, cast

from tiebreak.socket_adapter.engine_io import frames
from tiebreak.socket_adapter.engine_io.congestion import Congestion
from tiebreak.socket_adapter.engine_io.frames import FrameInvalid, FrameReader
from tiebreak.socket_adapter.engine_io.opening import opening_answer, opening_error
from tiebreak.socket_adapter.engine_io.outgoing import Outgoing
from tiebreak.socket_adapter.engine_io.packets import MESSAGE, Packet, PacketInvalid, decode_packet
from tiebreak.socket_adapter.engine_io.refusals import EngineRefusal
from tiebreak.socket_adapter.engine_io.request import Request, parse_request

if TYPE_CHECKING:
    from tiebreak.socket_adapter.engine_io.server import EngineServer
    from tiebreak.socket_adapter.engine_io.session import Session

NORMAL, POLICY_VIOLATION = 1000, 1008
# Of one connection, and what is read of others in between.
FRAMES_PER_TURN = 100
REST_SECONDS = 0.005
# Messages of the largest size that may lie unread while the session is held.
MAX_UNREAD = 4

# Which server a request is for, if any.
Route: TypeAlias = "Callable[[Request], EngineServer | None]"
# The connection's address and the request's headers by lower-case name → the client's address.
AddressOf: TypeAlias = Callable[[str, Mapping[str, str]], str]


class WebSocket(asyncio.Protocol):
    """One connection, from its opening request on."""

    __slots__ = ("_address_of", "_closing_tick", "_reader", "_route", "congestion", "paused", "session", "transport")

    transport: asyncio.Transport
    name = "websocket"

    def __init__(self, route: Route, address_of: AddressOf | None = None) -> None:
        """`address_of` may find the client's address in the request, as a proxy in front of us gives it."""
        self._route: Route | None = route
        self._address_of = address_of
        self._reader: FrameReader | None = None
        self._closing_tick = 0
        self.session: Session | None = None
        self.congestion: Congestion | None = None
        self.paused = False

    # --- from the event loop ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._reader is None:
            if self._route is not None:
                self._open(data, self._route)
            return
        reader = self._reader
        reader.feed(data)
        if not self.paused:
            self.read()
        if self.paused and self.session and reader.unread_bytes > MAX_UNREAD * self.session.engine.options.max_payload:
            self._fail(POLICY_VIOLATION, "too much at once", "too much at once")

    def connection_lost(self, exc: Exception | None) -> None:
        if self.session:
            reason = "transport error" if exc else "transport close"
            self.session.engine.departures.append(partial(self._depart, reason))

    def pause_writing(self) -> None:
        if self.session and not self._closing_tick:
            self.congestion = Congestion(self, self.session)

    def resume_writing(self) -> None:
        if self.congestion:
            congestion, self.congestion = self.congestion, None
            congestion.over()
            if self._closing_tick:
                return
            for outgoing in congestion.skipped.values():
                self.send(outgoing)

    # --- to and from the session ---------------------------------------------------------------------------------

    @property
    def route(self) -> asyncio.Transport | None:
        """Where a broadcast is written; None while the connection closes."""
        return self.transport if self.is_open else None

    @property
    def is_open(self) -> bool:
        return self._reader is not None and not self._closing_tick and not self.transport.is_closing()

    def send(self, outgoing: Outgoing, volatile: str | None = None) -> None:
        """Write it; to a peer that does not keep up, `volatile` names what a newer message replaces."""
        if not self.is_open:
            return
        if self.congestion is None or self.congestion.admits(outgoing, volatile):
            self.transport.write(outgoing.frames)

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Say that we close, and wait for the peer's word, but not for long. Nothing happens if it is closing."""
        if self.session is None or not self.is_open:
            self.transport.close()
            return
        self.transport.write(frames.close_frame(code, reason))
        self._close_soon()
        self.resume()

    def _close_soon(self) -> None:
        if self.session:
            engine = self.session.engine
            # Nothing may follow the close frame.
            engine.fan_out.slow[self.transport] = self.session
            self._closing_tick = engine.wheel.call_later(engine.options.closing_seconds, self.transport.abort)

    def abort(self) -> None:
        """Close at once, with what could not be sent yet."""
        self.transport.abort()

    def pause(self) -> None:
        """Read no more: the peer has to wait."""
        if not self.paused and self.is_open:
            self.paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        """Go on with what had come already, then read on."""
        if self.paused:
            self.paused = False
            if not self.transport.is_closing():
                self.transport.resume_reading()
            self.read()

    def read(self) -> None:
        """Hand over the messages that are complete, until none is left or the session wants a pause.

        Many at once, the cheapest frames too, are read in portions: there are others to serve.
        """
        reader = self._reader
        try:
            for _ in range(FRAMES_PER_TURN):
                if reader is None or self.paused or (message := reader.next()) is None:
                    return
                if message[0] == frames.CONTINUATION:
                    break
                self._received(*message)
            self._rest()
        except FrameInvalid as error:
            self._fail(error.code, error.reason, "transport error")
            self._go_deaf()
        except PacketInvalid as error:
            self._fail(POLICY_VIOLATION, str(error), "parse error")

    def _go_deaf(self) -> None:
        """What follows cannot be understood, not even as the peer's word that it closes.

        It is still read, and thrown away: a connection closed over unread bytes is reset, and our close frame lost.
        """
        self._reader = None
        if not self.transport.is_closing():
            self.transport.write_eof()

    def _rest(self) -> None:
        self.pause()
        asyncio.get_running_loop().call_later(REST_SECONDS, self._end_rest)

    def _end_rest(self) -> None:
        if self.session and not self.session.is_held:
            self.resume()

    def _received(self, opcode: int, payload: str | bytes) -> None:
        session = self.session
        if opcode == frames.CLOSE:
            self._peer_closes(cast("bytes", payload))
        elif session is None or self._closing_tick:
            return
        elif opcode == frames.TEXT:
            session.received(self, decode_packet(cast("str", payload)))
        elif opcode == frames.BINARY:
            session.received(self, Packet(MESSAGE, payload))
        elif opcode == frames.PING and self.is_open and not self.congestion:
            # Who does not read what we send need not be answered.
            self.transport.write(frames.pong_frame(cast("bytes", payload)))

    def _peer_closes(self, payload: bytes) -> None:
        code, _ = frames.parse_close(payload)
        if self.is_open:
            self.transport.write(frames.close_frame(code) if payload else frames.close_frame(NORMAL))
            self._close_soon()
        self.transport.close()
        if self.session:
            self.session.transport_lost(self, "transport close")

    def _depart(self, reason: str) -> None:
        session, self.session = self.session, None
        if self.congestion:
            self.congestion.over()
            self.congestion = None
        if session:
            session.engine.wheel.cancel(self._closing_tick, self.transport.abort)
            session.engine.fan_out.slow.pop(self.transport, None)
            session.transport_lost(self, reason)

    def _fail(self, code: int, reason: str, session_reason: str) -> None:
        session = self.session
        self.close(code, reason)
        if session:
            session.transport_lost(self, session_reason)

    def _open(self, data: bytes, route: Route) -> None:
        self._route = None
        peer: tuple[str, int] | str | None = self.transport.get_extra_info("peername")
        # A UNIX socket has no address.
        address = peer[0] if isinstance(peer, tuple) else ""
        secure = self.transport.get_extra_info("sslcontext") is not None
        try:
            request = parse_request(data, address=address, secure=secure)
            engine = route(request)
        except ValueError:
            self._refuse(EngineRefusal.BAD_REQUEST)
            return
        if self._address_of:
            request.address = self._address_of(request.address, request.headers)
            self._address_of = None
        refusal = opening_error(request) or (engine.refusal(request, self) if engine else EngineRefusal.BAD_REQUEST)
        if refusal or not engine:
            if engine and refusal:
                engine.counts.count_refused(refusal.name.lower())
            self._refuse(refusal or EngineRefusal.BAD_REQUEST)
            return
        self._reader = FrameReader(engine.options.max_payload)
        self.transport.set_write_buffer_limits(high=engine.options.congested_bytes)
        self.transport.write(opening_answer(request))
        request.shed()
        engine.open(request, self)

    def _refuse(self, refusal: EngineRefusal) -> None:
        self.transport.write(refusal.response())
        self.transport.close()
