"""A way from one process to another that can be cut, refused, half opened, stalled and slowed while it is in use."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Generator
from contextlib import contextmanager

from chaos.schedule import Direction

CHUNK = 1 << 16
# SO_LINGER on, zero seconds: closing sends RST instead of FIN.
RESET = struct.pack("ii", 1, 0)

# A path of a Unix socket, or a port of 127.0.0.1.
Address = str | int


class Way:
    """One direction of a link: bytes wait while it does not flow, then for the delay, then for the bandwidth."""

    def __init__(self) -> None:
        self.flows = asyncio.Event()
        self.flows.set()
        self.delay_seconds = 0.0
        self.bytes_per_second = float("inf")

    async def passed(self, size: int) -> None:
        """Wait until so many bytes are through."""
        await self.flows.wait()
        if seconds := self.delay_seconds + size / self.bytes_per_second:
            await asyncio.sleep(seconds)
            await self.flows.wait()


class Connection:
    """Two sockets, and what is passed on between them."""

    def __init__(self, here: asyncio.StreamWriter, there: asyncio.StreamWriter) -> None:
        self.here = here
        self.there = there
        self.is_half_open = False

    def cut(self) -> None:
        for side in (self.here, self.there):
            reset(side)

    def cut_one(self, direction: Direction) -> None:
        """Cut towards the client (`there`: its way there is gone) or towards the server; the other one is not told."""
        self.is_half_open = True
        reset(self.there if direction == "back" else self.here)


class Link:
    """A port that leads to `target`. Faults are context managers: at their end the link is whole again."""

    def __init__(self, name: str, target: Address = 0) -> None:
        self.name = name
        self.target = target
        self.port = 0
        self.there, self.back = Way(), Way()
        self.connections: set[Connection] = set()
        self._refuses = False
        self._passing: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        self.cut()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def cut(self) -> None:
        """RST to both sides of every connection."""
        for connection in list(self.connections):
            connection.cut()

    @contextmanager
    def refused(self) -> Generator[None]:
        """Nobody gets in, and who is in is cut."""
        self._refuses = True
        self.cut()
        try:
            yield
        finally:
            self._refuses = False

    @contextmanager
    def half_open(self, direction: Direction) -> Generator[None]:
        """One side of each connection is cut; the other one believes in it until the end."""
        broken = list(self.connections)
        for connection in broken:
            connection.cut_one(direction)
        try:
            yield
        finally:
            for connection in broken:
                connection.cut()

    @contextmanager
    def stalled(self, direction: Direction) -> Generator[None]:
        """Nothing passes in that direction, new connections included; at the end all of it does."""
        ways = self._ways(direction)
        for way in ways:
            way.flows.clear()
        try:
            yield
        finally:
            for way in ways:
                way.flows.set()

    @contextmanager
    def slowed(
        self, direction: Direction, *, delay_seconds: float = 0.0, bytes_per_second: float = float("inf")
    ) -> Generator[None]:
        """Everything takes longer."""
        ways = self._ways(direction)
        for way in ways:
            way.delay_seconds, way.bytes_per_second = delay_seconds, bytes_per_second
        try:
            yield
        finally:
            for way in ways:
                way.delay_seconds, way.bytes_per_second = 0.0, float("inf")

    def _ways(self, direction: Direction) -> list[Way]:
        return {"there": [self.there], "back": [self.back], "both": [self.there, self.back]}[direction]

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._pass_on(reader, writer))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def _pass_on(self, here_reader: asyncio.StreamReader, here: asyncio.StreamWriter) -> None:
        if self._refuses:
            reset(here)
            return
        try:
            await self.there.flows.wait()
            there_reader, there = await reached(self.target)
        except OSError:
            reset(here)
            return
        connection = Connection(here, there)
        self.connections.add(connection)
        pumps = [
            asyncio.create_task(pump(here_reader, there, self.there)),
            asyncio.create_task(pump(there_reader, here, self.back)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            if connection.is_half_open:
                await asyncio.wait(pumps)
        finally:
            self.connections.discard(connection)
            for task in pumps:
                task.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for side in (here, there):
                side.close()  # what was written before the other side's end still goes out


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
    """Pass on until the reader's side has ended; to a side that is gone, into nothing."""
    while data := await read(reader):
        await way.passed(len(data))
        if writer.transport.is_closing():
            continue
        writer.write(data)
        try:
            await writer.drain()
        except OSError:
            continue


async def read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(CHUNK)
    except OSError:
        return b""


async def reached(target: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(target, str):
        return await asyncio.open_unix_connection(target)
    return await asyncio.open_connection("127.0.0.1", target)


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a network does that has lost it."""
    transport = writer.transport
    if transport.is_closing():
        return
    end = transport.get_extra_info("socket")
    if end.family == socket.AF_INET:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    transport.abort()
