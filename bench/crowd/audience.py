"""The clients of the crowd: `python -m bench.crowd.audience PORT`, told what to do line by line."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import sys
import time
from array import array
from typing import Any, cast

import uvloop

REQUEST = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
    b"Pragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0.0.0\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
    b"Accept-Language: en-GB,en;q=0.9,vi;q=0.8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
# One address has 28,000 ports at most, those that rest after a connection included.
SOURCES = 8
SENT_AT = re.compile(rb'^42\["board",(\d+)')
GOODBYE = b"\x88\x82\0\0\0\0\x03\xe8"


def text_frame(payload: bytes) -> bytes:
    """Masked with zeros: the payload as it is."""
    size = len(payload)
    head = bytes((0x81, 0x80 | size)) if size < 126 else struct.pack(">BBH", 0x81, 0x80 | 126, size)
    return head + b"\0\0\0\0" + payload


class Listener(asyncio.Protocol):
    """A socket in a room, which counts the boards it gets."""

    transport: asyncio.Transport

    def __init__(self, audience: Audience, auth: dict[str, Any]) -> None:
        self._audience = audience
        self._connect = text_frame(b"40" + json.dumps(auth).encode())
        self._buffer = b""
        self._upgraded = False
        self.is_in: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data
        if not self._upgraded:
            head, end, buffer = buffer.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._upgraded = True
        at = 0
        while len(buffer) - at >= 2:
            size, start = buffer[at + 1], at + 2
            if size == 126:
                if len(buffer) - at < 4:
                    break
                size, start = struct.unpack_from(">H", buffer, at + 2)[0], at + 4
            if len(buffer) < start + size:
                break
            self._received(buffer[at], buffer[start : start + size])
            at = start + size
        self._buffer = buffer[at:]

    def _received(self, first: int, payload: bytes) -> None:
        if first == 0x88:
            self.transport.write(GOODBYE)
        elif payload.startswith(b"0"):
            self.transport.write(self._connect)
        elif payload == b"2":
            self.transport.write(text_frame(b"3"))
        elif payload.startswith(b'42["welcome"') and not self.is_in.done():
            self.is_in.set_result(None)
        elif sent := SENT_AT.match(payload):
            self._audience.boards += 1
            self._audience.latencies.append((time.monotonic_ns() - int(sent[1])) / 1e6)

    def connection_lost(self, exc: Exception | None) -> None:
        self._audience.listeners.discard(self)
        if not self.is_in.done():
            self.is_in.set_exception(ConnectionError("closed before it was let in"))


class Audience:
    """All listeners, and what they got since the last figures."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._opened = 0
        self._stalled: list[socket.socket] = []
        self.listeners: set[Listener] = set()
        self.boards = 0
        self.latencies = array("d")

    async def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Do it, and give the figures since the last order."""
        match order["do"]:
            case "connect":
                await self._connect(order)
            case "leave":
                await self._leave(order["at_once"])
            case "drop":
                for listener in list(self.listeners):
                    listener.transport.abort()
            case "stall":
                await self._stall(order["room"])
            case "hear":
                while self.boards < order["boards"]:
                    await asyncio.sleep(0.02)
            case other:
                assert other == "take"
        latencies = sorted(self.latencies)
        count = len(latencies)
        figures = {
            "boards": self.boards,
            "listeners": len(self.listeners),
            "p50_ms": round(latencies[count // 2], 2) if count else None,
            "p99_ms": round(latencies[count * 99 // 100], 2) if count else None,
            "max_ms": round(latencies[-1], 2) if count else None,
        }
        self.boards, self.latencies = 0, array("d")
        return figures

    async def _connect(self, order: dict[str, Any]) -> None:
        may_connect = asyncio.Semaphore(order["at_once"])
        loop = asyncio.get_running_loop()

        async def connect(number: int) -> None:
            async with may_connect:
                auth = {"room": f"room {number % order['rooms']}"}
                _, listener = await loop.create_connection(
                    lambda: Listener(self, auth),
                    "127.0.0.1",
                    self._port,
                    local_addr=(f"127.0.0.{1 + number % SOURCES}", 0),
                )
                await listener.is_in
                self.listeners.add(listener)

        await asyncio.gather(*(connect(number) for number in range(order["count"])))

    async def _leave(self, at_once: int) -> None:
        """Each says goodbye; so many at a time."""
        while self.listeners:
            leaving = list(self.listeners)[:at_once]
            for listener in leaving:
                listener.transport.write(GOODBYE)
            while any(listener in self.listeners for listener in leaving):
                await asyncio.sleep(0.001)

    async def _stall(self, room: str) -> None:
        """A socket that reads nothing after its admission, with a small receive buffer."""
        loop = asyncio.get_running_loop()
        stalled = socket.socket()
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.setblocking(False)
        await loop.sock_connect(stalled, ("127.0.0.1", self._port))
        await loop.sock_sendall(stalled, REQUEST)
        received = b""
        while b'"sid"' not in received:
            received += await loop.sock_recv(stalled, 4096)
        await loop.sock_sendall(stalled, text_frame(b"40" + json.dumps({"room": room, "stalls": True}).encode()))
        while b"welcome" not in received:
            received += await loop.sock_recv(stalled, 512)
        self._stalled.append(stalled)


async def main(port: int) -> None:
    audience = Audience(port)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("{}", flush=True)
    while line := await reader.readline():
        print(json.dumps(await audience.obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
