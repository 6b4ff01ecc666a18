"""A socket in the main namespace, packet by packet."""

from __future__ import annotations

import json
from typing import Any

from tests.conformance.long_polling import LongPolling, open_long_polling
from tests.conformance.server_program import Endpoint
from tests.conformance.socket_client import SocketClient
from tests.conformance.web_socket import WebSocket


class Client(SocketClient):
    """Knows its id after `enter`."""

    id: str

    def __init__(self, transport: WebSocket | LongPolling) -> None:
        super().__init__(transport)
        self.transport = transport

    async def enter(self, namespace: str = "/", auth: str = "") -> str:
        """Connect to a namespace; AssertionError with the refusal, if it is one."""
        prefix = "" if namespace == "/" else f"{namespace},"
        answer = await self.exchange(f"40{prefix}{auth}")
        assert isinstance(answer, str)
        assert answer.startswith(f"40{prefix}{{"), answer
        self.id = json.loads(answer.removeprefix(f"40{prefix}"))["sid"]
        return self.id

    async def emit(self, *message: Any, ack: int | str = "") -> None:
        """Send an event, with the id of an acknowledgement if one is wanted."""
        await self.send(f"42{ack}{json.dumps(message)}")

    async def event(self) -> list[Any]:
        """The next event."""
        packet = await self.next_packet()
        assert isinstance(packet, str), f"{packet!r}, no event"
        assert packet.startswith("42["), packet
        return json.loads(packet[2:])

    async def events(self, count: int) -> list[list[Any]]:
        """So many events."""
        return [await self.event() for _ in range(count)]

    async def until(self, name: str) -> list[list[Any]]:
        """All events up to the one of this name, and that one."""
        events = [await self.event()]
        while events[-1][0] != name:
            events.append(await self.event())
        return events

    async def close_code(self) -> tuple[int | None, str]:
        """How the server closed the WebSocket, after whatever it still had to say."""
        await self.goodbye()
        assert isinstance(self.transport, WebSocket)
        assert self.transport.closed
        return self.transport.closed


async def polling_client(endpoint: Endpoint) -> Client:
    """A client over long-polling that has not sent its CONNECT."""
    return Client(await open_long_polling(endpoint))
