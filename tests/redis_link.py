"""A way to Redis through a test: what goes there and back passes through its hands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

CHUNK = 1 << 20


class Link(NamedTuple):
    """One connection, seen from between: the client `here`, and Redis `there`."""

    here: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    there: tuple[asyncio.StreamReader, asyncio.StreamWriter]

    async def asked(self) -> bytes:
        """What the client says; empty when it is gone."""
        return await self.here[0].read(CHUNK)

    async def replied(self) -> bytes:
        """What Redis says; empty when it is gone."""
        return await self.there[0].read(CHUNK)

    def ask(self, data: bytes) -> None:
        self.there[1].write(data)

    def reply(self, data: bytes) -> None:
        self.here[1].write(data)


@asynccontextmanager
async def redis_link(
    redis_url: str, ways: Callable[[Link], tuple[Awaitable[None], Awaitable[None]]]
) -> AsyncIterator[str]:
    """The URL of a server that gives each connection to `ways`: there, and back. It ends when one of them does."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link((reader, writer), await connect(redis_url))
        tasks = [asyncio.ensure_future(way) for way in ways(link)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        link.there[1].close()
        writer.close()

    async with await asyncio.start_server(pass_on, "127.0.0.1", 0) as server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def connect(redis_url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(redis_url)
    if address.scheme == "unix":
        return await asyncio.open_unix_connection(address.path)
    return await asyncio.open_connection(address.hostname, address.port or 6379)
