"""A client of Socket.IO over either transport; what it sends and gets are packets of Engine.IO, types in front."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, Protocol

from tests.conformance.long_polling import open_long_polling
from tests.conformance.server_program import Endpoint
from tests.conformance.web_socket import open_engine

TransportName = Literal["polling", "websocket"]


class Transport(Protocol):
    """What both transports can do."""

    @property
    def sid(self) -> str: ...

    async def send(self, *packets: str | bytes) -> None: ...

    async def try_to_send(self, *packets: str | bytes) -> None: ...

    async def receive(self) -> str | bytes: ...

    async def next_packet(self) -> str | bytes | None: ...

    async def settle(self) -> None: ...


class SocketClient:
    """A connection, by which several namespaces can be reached."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def engine_sid(self) -> str:
        return self._transport.sid

    async def send(self, *packets: str | bytes) -> None:
        await self._transport.send(*packets)

    async def try_to_send(self, *packets: str | bytes) -> None:
        """Send to a server that may close, or already has."""
        await self._transport.try_to_send(*packets)

    async def settle(self) -> None:
        """Wait until the server has read what we sent."""
        await self._transport.settle()

    async def next_packet(self) -> str | bytes | None:
        """The next packet, or None once the server has closed the connection; pings are answered and left out."""
        while (packet := await self._transport.next_packet()) == "2":
            await self._transport.try_to_send("3")
        return packet

    async def receive(self, count: int = 1) -> list[str | bytes]:
        """So many packets."""
        packets: list[str | bytes] = []
        while len(packets) < count:
            packet = await self.next_packet()
            assert packet is not None, f"the server closed the connection after {packets}"
            packets.append(packet)
        return packets

    async def exchange(self, *packets: str | bytes) -> str | bytes:
        """Send, and get one packet."""
        await self.send(*packets)
        return (await self.receive())[0]

    async def ping(self) -> str | bytes | None:
        """The next packet, which may be a ping."""
        return await self._transport.next_packet()

    async def enter(self, namespace: str = "/", auth: str = "") -> str:
        """Connect to a namespace; the id of the socket there."""
        prefix = "" if namespace == "/" else f"{namespace},"
        connected = await self.exchange(f"40{prefix}{auth}")
        assert isinstance(connected, str)
        assert connected.startswith(f"40{prefix}{{"), connected
        reply = json.loads(connected[2 + len(prefix) :])
        assert [*reply] == ["sid"]
        if namespace != "/members":
            assert await self.receive() == [f'42{prefix}["auth",{auth or "{}"}]']
        return reply["sid"]

    async def is_cut(self, *packets: str | bytes) -> bool:
        """Send what the server must close the connection at, without another word."""
        await self.try_to_send(*packets)
        return await self.next_packet() is None

    async def goodbye(self) -> list[str | bytes]:
        """What comes until the server closes the connection."""
        packets: list[str | bytes] = []
        while (packet := await self.next_packet()) is not None:
            packets.append(packet)
        return packets


@asynccontextmanager
async def socket_client(endpoint: Endpoint, transport: TransportName = "websocket") -> AsyncIterator[SocketClient]:
    """A client that is connected to no namespace yet."""
    if transport == "polling":
        yield SocketClient(await open_long_polling(endpoint))
        return
    async with open_engine(endpoint) as socket:
        yield SocketClient(socket)
