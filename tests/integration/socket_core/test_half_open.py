"""Clients that stay, and say no more: whatever they have begun, the server ends it."""

from __future__ import annotations

import asyncio

import pytest

from tests.dropping import STEPS, Connection, Target
from tests.integration.socket_core.stage import DEADLINE_SECONDS, until, within
from tiebreak.http_edge import connections, serving
from tiebreak.socket_adapter.engine_io.options import EngineOptions
from tiebreak.socket_adapter.socket_io.server import SocketOptions

OF_EACH = 30
QUICK = EngineOptions(ping_timeout_seconds=0.3, ping_interval_seconds=0.3, closing_seconds=0.2)


@pytest.fixture
async def server(stage, monkeypatch):
    """One whose patience is short, and lets everybody in."""
    for module, name in (
        (connections, "HEAD_SECONDS"),
        (connections, "BODY_SECONDS"),
        (connections, "STALLED_SECONDS"),
        (serving, "KEEP_ALIVE_SECONDS"),
    ):
        monkeypatch.setattr(module, name, 0.3)
    server = await stage.serve(SocketOptions(connect_timeout_seconds=0.3), QUICK)

    async def enter(socket, arguments):
        socket.join("room")
        return [{"ok": True}]

    server.of("/").on("enter_session", enter)
    return server


async def begun(stage, step):
    """A connection that has got so far, and will say no more."""
    target = Target(stage.endpoint.port, "", "", "")
    connection = Connection()
    await connection.open(target)
    await step(connection, target)
    return connection


async def ended(connection):
    """Wait for the server to end it, reading on, as a client's kernel does; pings are not answered."""
    try:
        while await connection.reader.read(65_536):
            pass
    except ConnectionError:
        pass
    connection.writer.transport.abort()


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
async def test_half_closed(stage, server, step):
    """Who says that it will send nothing more, and stays, is let go."""
    connection = await begun(stage, step)
    connection.writer.write_eof()
    await within(ended(connection))
    await until(stage.is_empty)


async def test_hundreds_that_vanish(stage, server):
    """No word, no FIN, no pong: every one is ended in time, and meanwhile a client of good will is served."""
    vanished = [await begun(stage, step) for step in STEPS for _ in range(OF_EACH)]
    ending = asyncio.gather(*map(ended, vanished))
    served = 0
    deadline = asyncio.get_running_loop().time() + DEADLINE_SECONDS
    while not ending.done():
        assert asyncio.get_running_loop().time() < deadline, "some are still there"
        member = await within(stage.member("room"))
        await server.of("/").to("room").emit("news", served)
        assert await within(member.event()) == ["news", served]
        await member.send("1")
        served += 1
    await within(ending)
    assert served > 1
    await until(stage.is_empty)


async def test_hundreds_that_read_nothing(stage, server):
    """The same for those that do not even read: what they are owed stays within what a connection may hold."""
    silent = [await begun(stage, step) for step in STEPS for _ in range(OF_EACH)]
    for connection in silent:
        connection.writer.transport.pause_reading()
    # Their sessions have been given up; what was written to them is here, in the kernel.
    await until(stage.is_empty)
    member = await stage.member()
    assert stage.is_connected(member)
    for connection in silent:
        connection.writer.transport.resume_reading()
    await within(asyncio.gather(*map(ended, silent)))
