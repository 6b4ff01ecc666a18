"""A way to a server that a test can cut, hold up or turn elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Proxy:
    """Passes connections on to `target`."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.refusing = False
        self.half_open = False
        self._losing: bytes | None = None
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.port = 0
        self._here: set[asyncio.StreamWriter] = set()
        self._there: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Of a Redis behind it."""
        return f"redis://127.0.0.1:{self.port}"

    def lose_reply_to(self, command: bytes) -> None:
        """Once, the connection breaks at the reply to such a command, which has been carried out by then."""
        self._losing = command

    @property
    def has_lost(self) -> bool:
        return self._losing is None

    def cut(self) -> None:
        """Break all connections, on both sides."""
        for writer in self._here | self._there:
            writer.transport.abort()

    def cut_here(self) -> None:
        """Break all connections to the clients; the server hears nothing of it, until `cut`."""
        self.half_open = True
        for writer in self._here:
            writer.transport.abort()

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._pass_on(reader, writer))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def closed(self) -> None:
        self.flowing.set()
        self.cut()
        await asyncio.gather(*self._passing, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        there_reader, there_writer = await connect(self.target)
        self._here.add(writer)
        self._there.add(there_writer)

        asked = False

        async def ask() -> None:
            nonlocal asked
            while data := await reader.read(1 << 20):
                asked = asked or (self._losing is not None and self._losing in data)
                there_writer.write(data)

        async def reply() -> None:
            while data := await there_reader.read(1 << 20):
                await self.flowing.wait()
                # NOSCRIPT is no reply to lose: nothing was carried out.
                if asked and self._losing and not data.startswith(b"-"):
                    self._losing = None
                    writer.transport.abort()
                    there_writer.transport.abort()
                    return
                writer.write(data)

        tasks = [asyncio.create_task(ask()), asyncio.create_task(reply())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[0].done() and self.half_open:
                # Cut here only: the server goes on writing to nobody.
                await tasks[1]
        except OSError:
            pass
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._here.discard(writer)
            self._there.discard(there_writer)
            there_writer.transport.abort()
            writer.transport.abort()


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(url)
    if address.scheme == "unix":
        return await asyncio.open_unix_connection(address.path)
    return await asyncio.open_connection(address.hostname, address.port or 6379)


@asynccontextmanager
async def proxy_to(target: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.connected, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.closed()
