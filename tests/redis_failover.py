"""An address behind which one Redis takes over from another, as behind a virtual IP, a proxy or a DNS name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.redis_link import CHUNK, connect


class Address:
    """Passes connections on to the server that has it."""

    def __init__(self, redis_url: str) -> None:
        self.url = ""
        self._holder = redis_url
        self._writers: set[asyncio.StreamWriter] = set()

    def take_over(self, redis_url: str) -> None:
        """From now on that server has the address; connections to the one before break."""
        self._holder = redis_url
        for writer in self._writers:
            writer.close()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await connect(self._holder)
        self._writers |= {writer, there_writer}
        await asyncio.gather(copy(reader, there_writer), copy(there_reader, writer))
        self._writers -= {writer, there_writer}


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
    except ConnectionError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def address_of(redis_url: str) -> AsyncIterator[Address]:
    address = Address(redis_url)
    async with await asyncio.start_server(address.pass_on, "127.0.0.1", 0) as server:
        address.url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield address
        address.take_over(redis_url)
