"""An Engine.IO server: its sessions, by WebSocket and by long-polling, on one port with an HTTP app."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import partial
from ipaddress import IPv6Address
from typing import Any, TypeAlias

import msgspec
import structlog

from tiebreak.socket_adapter.engine_io.departures import Departures
from tiebreak.socket_adapter.engine_io.fan_out import FanOut
from tiebreak.socket_adapter.engine_io.options import Counts, EngineOptions
from tiebreak.socket_adapter.engine_io.outgoing import Outgoing
from tiebreak.socket_adapter.engine_io.packets import PacketInvalid
from tiebreak.socket_adapter.engine_io.polling import Overlap, Polling
from tiebreak.socket_adapter.engine_io.refusals import EngineRefusal
from tiebreak.socket_adapter.engine_io.request import Request, head_of
from tiebreak.socket_adapter.engine_io.session import SHUTTING_DOWN, Listener, Session
from tiebreak.socket_adapter.engine_io.timer_wheel import TimerWheel
from tiebreak.socket_adapter.engine_io.web_socket import AddressOf, WebSocket

log = structlog.get_logger()

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

TRANSPORTS = {"polling", "websocket"}
# How many sessions are closed in one turn of the loop when the server closes.
PORTION = 200


class BodyTooLarge(Exception):
    """More than `max_payload` bytes in a POST."""


class Disconnected(Exception):
    """The client has gone before its request was answered."""


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

        async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and self.serves(scope["path"]):
                await self._serve(scope, receive, send)
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
        if not self._admits_origin(request):
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

    def _admits_origin(self, request: Request) -> bool:
        headers = request.headers
        origin, allowed = headers.get("origin"), self.options.origin_allowed
        return origin is None or allowed is None or allowed(origin, headers.get("host"))

    # --- long-polling ------------------------------------------------------------------------------------------------

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = request_of(scope)
        if request.method == "OPTIONS":
            await answer(send, 204, self._cors(request))
            return
        if refusal := self.refusal(request):
            await self._refuse(request, refusal, send)
            return
        session_id = request.query.get("sid")
        try:
            if session_id is None or session_id == "":
                polling = Polling()
                self.open(request, polling)
                await self._poll(request, polling, receive, send)
            elif request.method == "GET":
                polling = self._last_words.pop(session_id, None) or self._polling(session_id)
                await self._poll(request, polling, receive, send)
            elif request.method == "POST":
                await self._post(request, self._polling(session_id), receive, send)
            else:
                await self._refuse(request, EngineRefusal.BAD_REQUEST, send)
        except Disconnected:
            pass

    def _polling(self, session_id: str) -> Polling:
        session = self.sessions.get(session_id)
        if session and isinstance(session.transport, Polling):
            return session.transport
        # Closed already: only its last words are left, and what it sends is not heard.
        return self._last_words[session_id]

    async def _poll(self, request: Request, polling: Polling, receive: Receive, send: Send) -> None:
        waiting = asyncio.ensure_future(polling.poll())
        gone = asyncio.ensure_future(disconnected(receive))
        try:
            await asyncio.wait((waiting, gone), return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                polling.lost("transport close")
                return
            body = waiting.result()
        except Overlap:
            if polling.session:
                polling.session.break_off("transport error")
            await self._refuse(request, EngineRefusal.BAD_REQUEST, send)
            return
        finally:
            waiting.cancel()
            gone.cancel()
        headers = [(b"content-type", b"text/plain; charset=UTF-8"), (b"cache-control", b"no-store")]
        await answer(send, 200, headers + self._cors(request), body)

    async def _post(self, request: Request, polling: Polling, receive: Receive, send: Send) -> None:
        try:
            with polling.posting():
                body = await read_body(receive, self.options.max_payload)
                if polling.session is None:
                    await self._refuse(request, EngineRefusal.SESSION_UNKNOWN, send)
                    return
                await polling.take_in(body)
        except BodyTooLarge:
            polling.lost("transport error")
            await self._refuse(request, EngineRefusal.PAYLOAD_TOO_LARGE, send)
        except PacketInvalid:
            polling.lost("parse error")
            await self._refuse(request, EngineRefusal.BAD_REQUEST, send)
        except Overlap:
            if polling.session:
                polling.session.break_off("transport error")
            await self._refuse(request, EngineRefusal.BAD_REQUEST, send)
        else:
            # As Node does, for the sake of old browsers.
            headers = [(b"content-type", b"text/html"), (b"cache-control", b"no-store")]
            await answer(send, 200, headers + self._cors(request), b"ok")

    async def _refuse(self, request: Request, refusal: EngineRefusal, send: Send) -> None:
        self.counts.count_refused(refusal.name.lower())
        await answer(send, refusal.status, refusal.headers + self._cors(request), refusal.body)

    def _cors(self, request: Request) -> Headers:
        origin = request.headers.get("origin")
        if origin is None or not self._admits_origin(request):
            return []
        headers: Headers = [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]
        if request.method == "OPTIONS":
            asked = request.headers.get("access-control-request-headers", "")
            headers.append((b"access-control-allow-methods", b"GET, POST, OPTIONS"))
            if asked:
                headers.append((b"access-control-allow-headers", asked.encode("latin-1")))
        return headers


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the /64, of which anybody has all."""
    if ":" not in address:
        return address
    try:
        return str(IPv6Address(address).exploded[:19])
    except ValueError:
        return address


def request_of(scope: Scope) -> Request:
    """The request an ASGI scope describes."""
    client = scope.get("client")
    return Request(
        scope["method"],
        scope["path"],
        scope["query_string"].decode("latin-1"),
        head_of(scope["headers"]),
        address=client[0] if client else "",
        secure=scope.get("scheme") == "https",
    )


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body. Raises BodyTooLarge, Disconnected."""
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Disconnected
        part: bytes = event.get("body", b"")
        size += len(part)
        if size > limit:
            raise BodyTooLarge
        parts.append(part)
        if not event.get("more_body"):
            return b"".join(parts)


async def disconnected(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def answer(send: Send, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> None:
    length = [(b"content-length", b"%d" % len(body))] if status != 204 else []
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": body})
