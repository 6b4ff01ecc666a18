"""HTTP/1.1 over a bare TCP connection: what a test writes is what the server gets, byte for byte."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email.message import Message
from typing import Any, NamedTuple

from tests.conformance.server_program import Endpoint

DEADLINE_SECONDS = 5.0
HOST = {"Host": "127.0.0.1"}


class Answer(NamedTuple):
    """A response."""

    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class HttpConnection:
    """A TCP connection. Every wait has a deadline; if the server ends it: EOFError or ConnectionError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def send_byte_by_byte(self, data: bytes) -> None:
        """In segments of one byte each."""
        for byte in data:
            await self.send(bytes([byte]))
            await asyncio.sleep(0)

    async def request(
        self, method: str, target: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request and wait for its answer."""
        await self.send(request_bytes(method, target, body, headers))
        return await self.answer(method)

    async def answer(self, method: str = "GET") -> Answer:
        """The next response."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            head = await self._reader.readuntil(b"\r\n\r\n")
            status_line, _, fields = head.partition(b"\r\n")
            status = int(status_line.split()[1])
            headers = http.client.parse_headers(io.BytesIO(fields))
            return Answer(status, headers, await self._body(method, status, headers))

    async def _body(self, method: str, status: int, headers: Message) -> bytes:
        if method == "HEAD" or status < 200 or status == 204:
            return b""
        if headers.get("Transfer-Encoding") == "chunked":
            chunks: list[bytes] = []
            while size := int(await self._reader.readline(), 16):
                chunks.append(await self._reader.readexactly(size))
                await self._reader.readexactly(2)
            await self._reader.readexactly(2)
            return b"".join(chunks)
        if (length := headers.get("Content-Length")) is not None:
            return await self._reader.readexactly(int(length))
        return await self._reader.read()

    async def exactly(self, count: int) -> bytes:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await self._reader.readexactly(count)

    async def rest(self) -> bytes:
        """All that comes until the server closes the connection."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            try:
                return await self._reader.read()
            except ConnectionError:
                return b""

    def finish(self) -> None:
        """Close our direction only."""
        self._writer.write_eof()

    def abort(self) -> None:
        """Be gone without a word."""
        self._writer.transport.abort()


def request_bytes(
    method: str, target: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """A request as it stands on the wire; a header with the value "" is left out."""
    content = body.encode() if isinstance(body, str) else body
    fields = HOST | ({} if content is None else {"Content-Length": str(len(content))}) | dict(headers or {})
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value), "", ""]
    return "\r\n".join(lines).encode("latin-1") + (content or b"")


@asynccontextmanager
async def connect(endpoint: Endpoint) -> AsyncIterator[HttpConnection]:
    async with asyncio.timeout(DEADLINE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.port, limit=2**22)
    try:
        yield HttpConnection(reader, writer)
    finally:
        writer.transport.abort()


async def request(
    endpoint: Endpoint,
    method: str,
    body: bytes | str | None = None,
    headers: Mapping[str, str] | None = None,
    **query: str | None,
) -> Answer:
    """One request on a connection of its own; of long-polling unless `transport` says otherwise."""
    async with connect(endpoint) as connection:
        return await connection.request(method, endpoint.target(**{"transport": "polling", **query}), body, headers)
