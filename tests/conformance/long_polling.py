"""An Engine.IO client that speaks HTTP long-polling."""

from __future__ import annotations

import base64
import binascii
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.conformance.http_connection import Answer, HttpConnection, connect, request, request_bytes
from tests.conformance.server_program import Endpoint

SEPARATOR = "\x1e"
GONE = (EOFError, ConnectionError)


class LongPolling:
    """A session of the server. Packets are as on a WebSocket: text with its type in front, or bytes."""

    def __init__(self, endpoint: Endpoint, opening: dict[str, Any]) -> None:
        self.endpoint = endpoint
        self.opening = opening
        self.sid: str = opening["sid"]
        self._received: deque[str | bytes] = deque()

    async def get(self, **query: str) -> Answer:
        """One GET, which the server may let wait."""
        return await request(self.endpoint, "GET", sid=self.sid, **query)

    @asynccontextmanager
    async def waiting_get(self) -> AsyncIterator[HttpConnection]:
        """A connection whose GET waits at the server: the answer to a later POST says that it was read."""
        async with connect(self.endpoint) as connection:
            await connection.send(request_bytes("GET", self.endpoint.target(transport="polling", sid=self.sid)))
            await self.send("6")
            yield connection

    async def post(self, body: bytes | str, headers: dict[str, str] | None = None) -> Answer:
        return await request(self.endpoint, "POST", body, headers, sid=self.sid)

    async def send(self, *packets: str | bytes) -> None:
        """Post packets together, which the server must take."""
        answer = await self.post(SEPARATOR.join(map(for_polling, packets)))
        assert (answer.status, answer.text) == (200, "ok")

    async def try_to_send(self, *packets: str | bytes) -> None:
        """Post packets that the server may refuse, or cut the connection at."""
        try:
            await self.post(SEPARATOR.join(map(for_polling, packets)))
        except GONE:
            return

    async def receive(self) -> str | bytes:
        """The next packet."""
        while not self._received:
            answer = await self.get()
            assert answer.status == 200, answer
            self._received += [from_polling(packet) for packet in answer.text.split(SEPARATOR)]
        return self._received.popleft()

    async def next_packet(self) -> str | bytes | None:
        """The next packet that is not the server's goodbye, or None once it no longer knows the session."""
        while True:
            while self._received:
                if (packet := self._received.popleft()) not in ("1", "6"):
                    return packet
            answer = await self.get()
            if answer.status != 200:
                assert answer.json() == {"code": 1, "message": "Session ID unknown"}
                return None
            self._received += [from_polling(packet) for packet in answer.text.split(SEPARATOR)]

    async def goodbye(self) -> list[str | bytes]:
        """The packets that come before the server no longer knows the session, its goodbyes left out."""
        packets: list[str | bytes] = []
        while (packet := await self.next_packet()) is not None:
            packets.append(packet)
        return packets

    async def settle(self) -> None:
        """Wait until the server has read what we sent: whoever posts, has waited already."""


async def open_long_polling(endpoint: Endpoint, **query: str) -> LongPolling:
    answer = await request(endpoint, "GET", **query)
    assert answer.status == 200, answer
    assert answer.text.startswith("0")
    return LongPolling(endpoint, json.loads(answer.text[1:]))


def for_polling(packet: str | bytes) -> str:
    return packet if isinstance(packet, str) else "b" + base64.b64encode(packet).decode()


def from_polling(packet: str) -> str | bytes:
    if not packet.startswith("b"):
        return packet
    try:
        return base64.b64decode(packet[1:], validate=True)
    except binascii.Error as error:
        raise AssertionError(f"not base64: {packet!r}") from error
