"""An Engine.IO server: its sessions, by WebSocket and by long-polling, on one port with an HTTP app."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable
from functools import partial
from ipaddress import IPv6Address

import msgspec

from tiebreak.socket_adapter.engine_io.departures import Departures
from tiebreak.socket_adapter.engine_io.fan_out import FanOut
from tiebreak.socket_adapter.engine_io.long_polling import App, LongPolling, Receive, Scope, Send
from tiebreak.socket_adapter.engine_io.options import Counts, EngineOptions
from tiebreak.socket_adapter.engine_io.outgoing import Outgoing
from tiebreak.socket_adapter.engine_io.polling import Polling
from tiebreak.socket_adapter.engine_io.refusals import EngineRefusal
from tiebreak.socket_adapter.engine_io.request import Request
from tiebreak.socket_adapter.engine_io.session import SHUTTING_DOWN, Listener, Session
from tiebreak.socket_adapter.engine_io.timer_wheel import TimerWheel
from tiebreak.socket_adapter.engine_io.web_socket import AddressOf, WebSocket

TRANSPORTS = {"polling", "websocket"}
# How many sessions are closed in one turn of the loop when the server closes.
PORTION = 200


class EngineServer:
    """Hand `web_socket` to uvicorn as `ws=`, and `mount` the long-polling before your ASGI app."""

    def __init__(self, accept: Callable[[Session], Listener], options: EngineOptions | None = None) -> None:
        """`accept` is called with each new session and returns who listens to it."""
        self._accept = accept
        self.options = options or EngineOptions()
        self.wheel = TimerWheel(self.options.tick_seconds)
        self.fan_out = FanOut()
        self.departures = Departures()
        self.counts = Counts()
        self.sessions: dict[str, Session] = {}
        self._last_words: dict[str, Polling] = {}
        self._by_address: Counter[str] = Counter()
        self._is_closing = False

    # --- to be mounted ---------------------------------------------------------------------------------------------

    def web_socket(self, address_of: AddressOf | None = None) -> Callable[..., WebSocket]:
        """A factory of protocols for uvicorn's `ws=`; `address_of` as in WebSocket."""

        def protocol(**_uvicorn: object) -> WebSocket:
            return WebSocket(self.route, address_of)

        return protocol

    def route(self, request: Request) -> EngineServer | None:
        """This server, if the request is for it."""
        return self if self.serves(request.path) else None

    def serves(self, path: str) -> bool:
        return path == self.options.path or path == self.options.path.removesuffix("/")

    def mount(self, app: App) -> App:
        """An ASGI app that answers requests on our path itself, and leaves everything else to `app`."""

        long_polling = LongPolling(self)

        async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and self.serves(scope["path"]):
                await long_polling.serve(scope, receive, send)
            else:
                await app(scope, receive, send)

        return mounted

    async def close(self) -> None:
        """Take no new sessions and end those there are; clients connect again, to another server if there is one."""
        self._is_closing = True
        await self._all_written()
        while self.sessions:
            for session in list(self.sessions.values())[:PORTION]:
                session.close(SHUTTING_DOWN)
            await asyncio.sleep(0)
        await self._all_written()

    # --- sessions ------------------------------------------------------------------------------------------------

    def refusal(self, request: Request, web_socket: WebSocket | None = None) -> EngineRefusal | None:
        """Why this request may neither open nor continue a session, if so."""
        query = request.query
        transport = query.get("transport")
        if transport not in TRANSPORTS:
            return EngineRefusal.TRANSPORT_UNKNOWN
        if not self.admits_origin(request):
            return EngineRefusal.ORIGIN
        if query.get("EIO") != "4":
            return EngineRefusal.PROTOCOL_VERSION
        if session_id := query.get("sid"):
            return self._continuation_refusal(session_id, transport, web_socket)
        if request.method != "GET":
            return EngineRefusal.HANDSHAKE_METHOD
        if (transport == "websocket") != bool(web_socket):
            return EngineRefusal.BAD_REQUEST
        if self._is_closing:
            return EngineRefusal.CLOSING
        limit = self.options.sessions_per_address
        if limit is not None and self._by_address[network_of(request.address)] >= limit:
            return EngineRefusal.TOO_MANY
        return None

    def _continuation_refusal(
        self, session_id: str, transport: str, web_socket: WebSocket | None
    ) -> EngineRefusal | None:
        session = self.sessions.get(session_id)
        if session and session.is_overdue:
            session.break_off("ping timeout")
            session = None
        if session is None:
            is_last_poll = session_id in self._last_words and not web_socket
            return None if is_last_poll else EngineRefusal.SESSION_UNKNOWN
        if (transport == "websocket") != bool(web_socket):
            return EngineRefusal.BAD_REQUEST
        if not web_socket and session.transport.name != transport:
            return EngineRefusal.BAD_REQUEST
        return None

    def open(self, request: Request, transport: WebSocket | Polling) -> None:
        """A request that was not refused opens a session, or a WebSocket joins the session it names."""
        session_id = request.query.get("sid")
        if session_id and isinstance(transport, WebSocket):
            self.sessions[session_id].probe(transport)
            return
        session = Session(self, secrets.token_urlsafe(15), request, transport)
        transport.session = session
        self.sessions[session.id] = session
        self._by_address[network_of(request.address)] += 1
        self.counts.sessions_opened += 1
        session.send(Outgoing(b"0" + msgspec.json.encode(self._handshake(session))))
        session.listener = self._accept(session)

    def forget(self, session: Session, reason: str) -> None:
        """A session has ended."""
        del self.sessions[session.id]
        self.counts.count_closed(reason)
        address = network_of(session.request.address)
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def keep_last_words(self, session_id: str, polling: Polling) -> None:
        """A session ends, and its client may hear of it at its next poll."""
        self._last_words[session_id] = polling
        self.wheel.call_later(self.options.closing_seconds, partial(self._forget_last_words, session_id))

    def polling(self, session_id: str, *, is_last: bool = False) -> Polling:
        """The transport of a session that polls. After its end there are last words for one more GET, `is_last`."""
        session = self.sessions.get(session_id)
        if session and isinstance(session.transport, Polling):
            return session.transport
        return self._last_words.pop(session_id) if is_last else self._last_words[session_id]

    async def _all_written(self) -> None:
        written = asyncio.Event()
        self.fan_out.afterwards(written.set)
        await written.wait()

    def _forget_last_words(self, session_id: str) -> None:
        self._last_words.pop(session_id, None)

    def _handshake(self, session: Session) -> dict[str, object]:
        return {
            "sid": session.id,
            "upgrades": ["websocket"] if isinstance(session.transport, Polling) else [],
            "pingInterval": round(self.options.ping_interval_seconds * 1000),
            "pingTimeout": round(self.options.ping_timeout_seconds * 1000),
            "maxPayload": self.options.max_payload,
        }

    def admits_origin(self, request: Request) -> bool:
        """Whether it comes from no page, or from one that may open sessions."""
        headers = request.headers
        origin, allowed = headers.get("origin"), self.options.origin_allowed
        return origin is None or allowed is None or allowed(origin, headers.get("host"))


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the /64, of which anybody has all."""
    if ":" not in address:
        return address
    try:
        return str(IPv6Address(address).exploded[:19])
    except ValueError:
        return address
