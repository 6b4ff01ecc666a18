"""The way between two processes does what is asked of it, and is whole again afterwards."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chaos.fault_proxy import Link


@asynccontextmanager
async def echoing() -> AsyncIterator[Link]:
    """A link to a server that says everything again."""

    async def again(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
        except OSError:
            pass
        writer.close()

    server = await asyncio.start_server(again, "127.0.0.1", 0)
    link = Link("a→b", server.sockets[0].getsockname()[1])
    await link.open()
    try:
        yield link
    finally:
        await link.close()
        server.close()


async def said(link: Link, reader=None, writer=None) -> bytes:
    """What comes back within a moment: empty if nothing does."""
    if reader is None:
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    writer.write(b"hello")
    try:
        async with asyncio.timeout(0.3):
            return await reader.read(100)
    except TimeoutError:
        return b""


async def test_whole_link_passes_everything_on():
    """Both ways, however much it is, up to the end of the connection."""
    async with echoing() as link:
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        much = bytes(range(256)) * 4096
        writer.write(much)
        writer.write_eof()
        assert await reader.readexactly(1000) == much[:1000]


async def test_cut_connections_are_reset():
    """RST, on both sides; the next connection gets through."""
    async with echoing() as link:
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        assert await said(link, reader, writer) == b"hello"
        link.cut()
        with pytest.raises(ConnectionResetError):
            await reader.read(100)
        assert await said(link) == b"hello"


async def test_refused_connections():
    async with echoing() as link:
        with link.refused(), pytest.raises(ConnectionResetError):
            await said(link)
        assert await said(link) == b"hello"


@pytest.mark.parametrize("direction", ["there", "back", "both"])
async def test_what_was_stalled_comes_later(direction):
    """Nothing is lost: it waits, on connections that are open and on new ones."""
    async with echoing() as link:
        old = await asyncio.open_connection("127.0.0.1", link.port)
        assert await said(link, *old) == b"hello"
        with link.stalled(direction):
            assert await said(link, *old) == b""
            assert await said(link) == b""
        async with asyncio.timeout(5):
            assert await old[0].read(100) == b"hello"


async def test_half_open_connection_is_silent_until_the_end():
    """The server's side is gone: the client hears nothing of it, until the fault is over."""
    async with echoing() as link:
        old = await asyncio.open_connection("127.0.0.1", link.port)
        assert await said(link, *old) == b"hello"
        with link.half_open("back"):
            assert await said(link, *old) == b""
            assert await said(link) == b"hello"
        async with asyncio.timeout(5):
            with pytest.raises(ConnectionResetError):
                await old[0].read(100)


async def test_slow_and_narrow_links_take_their_time():
    """So much for each piece, and for each byte."""
    async with echoing() as link:
        loop = asyncio.get_running_loop()
        for slowness in ({"delay_seconds": 0.05}, {"bytes_per_second": 100.0}):
            began = loop.time()
            with link.slowed("there", **slowness):
                assert await said(link) == b"hello"
            assert loop.time() - began >= 0.05
