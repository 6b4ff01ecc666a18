"""HTTP long-polling as an ASGI app: the requests of sessions whose transport is `Polling`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias

from tiebreak.socket_adapter.engine_io.packets import PacketInvalid
from tiebreak.socket_adapter.engine_io.polling import Overlap, Polling
from tiebreak.socket_adapter.engine_io.refusals import EngineRefusal
from tiebreak.socket_adapter.engine_io.request import Request, head_of

if TYPE_CHECKING:
    from tiebreak.socket_adapter.engine_io.server import EngineServer

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]


class BodyTooLarge(Exception):
    """More than `max_payload` bytes in a POST."""


class Disconnected(Exception):
    """The client has gone before its request was answered."""


class LongPolling:
    """Answers GET and POST for an engine: which session they are for, and why not, the engine says."""

    def __init__(self, engine: EngineServer) -> None:
        self._engine = engine

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI app."""
        request = request_of(scope)
        if request.method == "OPTIONS":
            await answer(send, 204, self._cors(request))
            return
        if refusal := self._engine.refusal(request):
            await self._refuse(request, refusal, send)
            return
        session_id = request.query.get("sid")
        try:
            if session_id is None or session_id == "":
                polling = Polling()
                self._engine.open(request, polling)
                await self._poll(request, polling, receive, send)
            elif request.method == "GET":
                polling = self._engine.polling(session_id, is_last=True)
                await self._poll(request, polling, receive, send)
            elif request.method == "POST":
                await self._post(request, self._engine.polling(session_id), receive, send)
            else:
                await self._refuse(request, EngineRefusal.BAD_REQUEST, send)
        except Disconnected:
            pass

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
                body = await read_body(receive, self._engine.options.max_payload)
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
        self._engine.counts.count_refused(refusal.name.lower())
        await answer(send, refusal.status, refusal.headers + self._cors(request), refusal.body)

    def _cors(self, request: Request) -> Headers:
        origin = request.headers.get("origin")
        if origin is None or not self._engine.admits_origin(request):
            return []
        headers: Headers = [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]
        if request.method == "OPTIONS":
            asked = request.headers.get("access-control-request-headers", "")
            headers.append((b"access-control-allow-methods", b"GET, POST, OPTIONS"))
            if asked:
                headers.append((b"access-control-allow-headers", asked.encode("latin-1")))
        return headers


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
