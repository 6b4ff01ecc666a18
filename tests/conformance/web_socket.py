"""A WebSocket client of RFC 6455 on a bare TCP connection, and Engine.IO over it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from tests.conformance.http_connection import Answer, HttpConnection, connect, request_bytes
from tests.conformance.server_program import Endpoint

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455, section 1.3
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}


class Frame(NamedTuple):
    """A frame of the server: unmasked, final."""

    opcode: int
    payload: bytes


class Closed(NamedTuple):
    """What the server's close frame said, if one came."""

    code: int | None
    reason: str


class WebSocket:
    """An open WebSocket, and what the `open` packet said if it began a session."""

    opening: dict[str, Any]

    def __init__(self, connection: HttpConnection, handshake: Answer) -> None:
        self.connection = connection
        self.handshake = handshake
        self.closed: Closed | None = None

    @property
    def sid(self) -> str:
        return self.opening["sid"]

    async def send(self, *messages: str | bytes) -> None:
        """Each in one frame; all in one segment."""
        await self.send_raw(b"".join(map(message_frame, messages)))

    async def send_raw(self, data: bytes) -> None:
        await self.connection.send(data)

    async def frame(self) -> Frame:
        """The next frame; AssertionError if it is not one a server may send, EOFError if there is none."""
        first, second = await self.connection.exactly(2)
        assert first & 0x70 == 0, "an extension that was not negotiated"
        assert first & 0x80, "a server of ours and of Node never fragments"
        assert second & 0x80 == 0, "a server must not mask"
        length = second
        if second == 126:
            (length,) = struct.unpack("!H", await self.connection.exactly(2))
            assert length > 125, "not the shortest form"
        elif second == 127:
            (length,) = struct.unpack("!Q", await self.connection.exactly(8))
            assert length > 0xFFFF, "not the shortest form"
        return Frame(first & 0x0F, await self.connection.exactly(length))

    async def receive(self) -> str | bytes:
        """The next message."""
        frame = await self.frame()
        assert frame.opcode in (TEXT, BINARY), frame
        return frame.payload.decode() if frame.opcode == TEXT else frame.payload

    async def next_packet(self) -> str | bytes | None:
        """The next message, or None once the server has ended the connection."""
        while self.closed is None:
            try:
                frame = await self.frame()
            except (EOFError, ConnectionError):
                self.closed = Closed(None, "")
                break
            if frame.opcode in (TEXT, BINARY):
                return frame.payload.decode() if frame.opcode == TEXT else frame.payload
            if frame.opcode == CLOSE:
                self.closed = await self._finish(frame.payload)
        return None

    async def _finish(self, payload: bytes) -> Closed:
        """Answer a close frame; the server must then end the connection by itself."""
        with contextlib.suppress(ConnectionError):  # the server need not wait for it
            await self.send_raw(client_frame(CLOSE, payload[:2]))
        assert await self.connection.rest() == b"", "data after a close frame"
        self.connection.abort()
        return Closed(struct.unpack("!H", payload[:2])[0] if payload else None, payload[2:].decode())

    async def until_closed(self) -> tuple[int | None, list[str | bytes]]:
        """The code of the close frame, if one comes, and the messages before it."""
        messages = await self.goodbye()
        assert self.closed
        return self.closed.code, messages

    async def goodbye(self) -> list[str | bytes]:
        """The messages that come before the server ends the connection."""
        messages: list[str | bytes] = []
        while (message := await self.next_packet()) is not None:
            messages.append(message)
        return messages

    async def settle(self) -> None:
        """Wait until the server has read what we sent."""
        await self.send_raw(client_frame(PING, b"settled?"))
        assert await self.frame() == Frame(PONG, b"settled?")

    async def try_to_send(self, *messages: str | bytes) -> None:
        """Send to a server that may already have closed."""
        try:
            await self.send(*messages)
        except ConnectionError:
            return


def client_frame(
    opcode: int, payload: bytes = b"", *, final: bool = True, rsv: int = 0, mask: bytes | None = None
) -> bytes:
    """A frame; `mask=b""` leaves it unmasked, which no client may do."""
    key = os.urandom(4) if mask is None else mask
    head = bytes([(final << 7) | (rsv << 4) | opcode])
    masked = 0x80 if key else 0
    size = len(payload)
    if size < 126:
        head += bytes([masked | size])
    elif size < 2**16:
        head += bytes([masked | 126]) + struct.pack("!H", size)
    else:
        head += bytes([masked | 127]) + struct.pack("!Q", size)
    return head + key + (mask_bytes(payload, key) if key else payload)


def mask_bytes(payload: bytes, key: bytes) -> bytes:
    repeated = (key * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")


def message_frame(message: str | bytes) -> bytes:
    return client_frame(TEXT, message.encode()) if isinstance(message, str) else client_frame(BINARY, message)


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return client_frame(CLOSE, struct.pack("!H", code) + reason)


def handshake(endpoint: Endpoint, headers: Mapping[str, str] | None = None, method: str = "GET", **query: str) -> bytes:
    """An opening handshake; a header with the value "" is left out."""
    target = endpoint.target(**{"transport": "websocket", **query})
    return request_bytes(method, target, headers=UPGRADE | dict(headers or {}))


@asynccontextmanager
async def open_web_socket(
    endpoint: Endpoint, headers: Mapping[str, str] | None = None, **query: str
) -> AsyncIterator[WebSocket]:
    """A WebSocket on which nothing was read yet."""
    key = base64.b64encode(os.urandom(16)).decode()
    async with connect(endpoint) as connection:
        await connection.send(handshake(endpoint, {"Sec-WebSocket-Key": key, **(headers or {})}, **query))
        answer = await connection.answer()
        assert answer.status == 101, answer
        assert answer.headers["Sec-WebSocket-Accept"] == accept_of(key)
        yield WebSocket(connection, answer)


@asynccontextmanager
async def open_engine(
    endpoint: Endpoint, headers: Mapping[str, str] | None = None, **query: str
) -> AsyncIterator[WebSocket]:
    """A session that begins as a WebSocket."""
    async with open_web_socket(endpoint, headers, **query) as socket:
        first = await socket.receive()
        assert isinstance(first, str)
        assert first.startswith("0")
        socket.opening = json.loads(first[1:])
        yield socket


def accept_of(key: str) -> str:
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
