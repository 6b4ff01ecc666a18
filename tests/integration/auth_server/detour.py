"""Postgres, cut off when a test wants it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit, urlunsplit


class Detour:
    """A way to Postgres that can be blocked: connections there end, new ones are turned away."""

    def __init__(self, database_url: str) -> None:
        self._target = urlsplit(database_url)
        self._blocked = False
        self._writers: set[asyncio.StreamWriter] = set()
        self.url = ""

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Detour]:
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        user, _, _ = self._target.netloc.rpartition("@")
        netloc = f"{user}@127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self.url = urlunsplit(self._target._replace(netloc=netloc, query=""))
        async with server:
            yield self
            self.block()

    def block(self) -> None:
        self._blocked = True
        for writer in self._writers:
            writer.transport.abort()

    def unblock(self) -> None:
        self._blocked = False

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._blocked:
            writer.transport.abort()
            return
        folder = parse_qs(self._target.query).get("host")
        if folder:
            there = await asyncio.open_unix_connection(f"{folder[0]}/.s.PGSQL.{self._target.port or 5432}")
        else:
            there = await asyncio.open_connection(self._target.hostname, self._target.port or 5432)
        self._writers |= {writer, there[1]}
        await asyncio.gather(copy(reader, there[1]), copy(there[0], writer), return_exceptions=True)
        self._writers -= {writer, there[1]}


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
