"""Connections to the HTTP servers: how long a request head may take, and who is at the other end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeAlias, cast

from httptools import HttpParserUpgrade
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 5.0
BODY_SECONDS = 20.0
# An answer of which nothing was read for so long is given up.
STALLED_SECONDS = 10.0
# Far more than a browser sends, cookies of other applications on the same host included.
MAX_HEAD_BYTES = 32 * 1024
# What a header costs beside its letters: thousands of short ones are no way around the limit.
HEADER_COST_BYTES = 32
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


BODY_HEADERS = {b"content-length", b"transfer-encoding"}

# The connection's address and the request's headers by lower-case name → the client's address.
AddressOf: TypeAlias = Callable[[str, Mapping[str, str]], str]


class HttpConnection(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, for clients that may be slow on purpose, in sending or in reading."""

    _head_deadline: asyncio.TimerHandle | None = None
    _body_deadline: asyncio.TimerHandle | None = None
    _stalled_deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _head_lines = 0
    _read = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._await_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_head()

    def data_received(self, data: bytes) -> None:
        self._read = data
        deadline = self._head_deadline
        super().data_received(data)
        self._read = b""
        # A header is handed over when it is complete only: one without an end is seen here.
        if self._head_deadline and self._head_deadline is deadline:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(HEAD_TOO_LARGE)
        if self.timeout_keep_alive_task is None and self._is_idle():
            # uvicorn starts it with a response only. What came now was the rest of a body, or blank lines.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_lines += len(name) + len(value) + HEADER_COST_BYTES
        if self._head_lines > MAX_HEAD_BYTES:
            self._refuse(HEAD_TOO_LARGE)
            raise ValueError("The head of the request is too large.")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._head_came()
        if (
            self.parser
            and self.parser.get_http_version() == "1.1"
            and not any(name == b"host" for name, _ in self.headers)
        ):
            # RFC 9112, 3.2. What a callback raises becomes a 400.
            raise ValueError("A request needs a Host header.")
        if any(name in BODY_HEADERS for name, _ in self.headers):
            if self.parser and self.parser.should_upgrade():
                # The parser takes such a body for the next request.
                raise ValueError("A request to upgrade cannot have a body.")
            self._body_deadline = self.loop.call_later(BODY_SECONDS, self._close_slow)
        self.begin_request()

    def begin_request(self) -> None:
        """The head is complete, and well."""
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._body_deadline = cancelled(self._body_deadline)
        super().on_message_complete()

    def pause_writing(self) -> None:
        self._stalled_deadline = self.loop.call_later(
            STALLED_SECONDS, self._close_stalled, self.transport.get_write_buffer_size()
        )
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stalled_deadline = cancelled(self._stalled_deadline)
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        # uvicorn leaves it to itself where the connection was cut.
        self._unset_keepalive_if_required()
        self._head_came()
        self._body_deadline = cancelled(self._body_deadline)
        self._stalled_deadline = cancelled(self._stalled_deadline)
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        if self.scope["http_version"] != "1.1":
            self.send_400_response("A WebSocket needs HTTP/1.1.")
            return
        super().handle_websocket_upgrade()
        # uvicorn passes on the head; what came in the same read is ours to pass on. The exception says where it begins.
        if isinstance(upgrade := sys.exception(), HttpParserUpgrade) and (rest := self._read[upgrade.args[0] :]):
            cast("asyncio.Protocol", self.transport.get_protocol()).data_received(rest)
        # It refers back to us: without this, the two would wait for the garbage collector.
        del self.parser

    def _is_idle(self) -> bool:
        """No response is owed and no request was begun. What became a WebSocket is no connection of ours any more."""
        cycle = self.cycle
        return bool(
            cycle
            and cycle.response_complete
            and self._head_deadline is None
            and self._body_deadline is None
            and self in self.connections
        )

    def _await_head(self) -> None:
        if self._head_deadline is None:
            self._head_deadline = self.loop.call_later(HEAD_SECONDS, self._close_slow)

    def _head_came(self) -> None:
        self._head_deadline = cancelled(self._head_deadline)
        self._head_bytes = self._head_lines = 0

    def _close_slow(self) -> None:
        self._head_deadline = None
        self._refuse(TOO_SLOW)

    def _close_stalled(self, buffered: int) -> None:
        left = self.transport.get_write_buffer_size()
        if left >= buffered:
            self.transport.abort()
        else:
            self._stalled_deadline = self.loop.call_later(STALLED_SECONDS, self._close_stalled, left)

    def _refuse(self, response: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(response)
            self.transport.close()


def cancelled(timer: asyncio.TimerHandle | None) -> None:
    """No timer: what is left of one."""
    if timer:
        timer.cancel()


def client_address(trusted_proxies: str) -> AddressOf:
    """The address behind a request.

    X-Forwarded-For is believed of trusted proxies, exactly as for requests that go through uvicorn's middleware.
    """

    async def nothing(*_: object) -> None:
        pass

    middleware = ProxyHeadersMiddleware(nothing, trusted_proxies)

    def address_of(address: str, headers: Mapping[str, str]) -> str:
        scope: dict[str, Any] = {
            "type": "http",
            "scheme": "http",
            "client": (address, 0),
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
        # It never waits for anything: one step is all of it.
        with suppress(StopIteration):
            cast("Any", middleware)(scope, nothing, nothing).send(None)
        return scope["client"][0]

    return address_of
