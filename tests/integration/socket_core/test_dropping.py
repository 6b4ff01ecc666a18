"""Clients that drop in the middle of everything: nothing of them is left, to the collector or to anybody else."""

from __future__ import annotations

import asyncio
import gc

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from tests.dropping import STEPS, WAYS, Target, drop
from tests.integration.socket_core.stage import until
from tests.integration.socket_core.test_crowd import KINDS
from tiebreak.http_edge.connections import HttpConnection
from tiebreak.socket_adapter.engine_io.options import EngineOptions
from tiebreak.socket_adapter.socket_io.server import SocketOptions

CYCLES = 30 * len(WAYS)
# What is left without a goodbye is noticed by these.
QUICK = EngineOptions(ping_timeout_seconds=0.2, ping_interval_seconds=0.2, closing_seconds=0.2)
DROPPED = (HttpConnection, RequestResponseCycle, *KINDS)


def living():
    """How many objects of each kind there are, garbage included."""
    kinds = [type(it) for it in gc.get_objects()]
    return {kind: kinds.count(kind) for kind in DROPPED}


async def test_who_drops_leaves_nothing(stage):
    """Every way to drop, by RST and by FIN: no connection, session, task or timer is left, without a collection."""
    server = await stage.serve(SocketOptions(connect_timeout_seconds=0.2), QUICK)

    async def enter(socket, arguments):
        socket.join("room")
        return [{"ok": True}]

    server.of("/").on("enter_session", enter)
    target = Target(stage.endpoint.port, "", "", "")
    # What is made once.
    await drop(target, len(WAYS), at_once=2)
    await until(stage.is_empty)
    gc.collect()
    gc.disable()
    try:
        before, tasks = living(), len(asyncio.all_tasks())
        await drop(target, CYCLES, at_once=20)
        await until(stage.is_empty)
        await until(lambda: living() == before)
        assert len(asyncio.all_tasks()) == tasks
    finally:
        gc.enable()
    assert len(STEPS) * 2 == len(WAYS)
    opened = server.engine.counts.sessions_opened
    # Four of the steps open a session.
    assert opened == (CYCLES + len(WAYS)) * 4 // len(STEPS)


async def test_one_that_stays_is_not_disturbed(stage):
    """While hundreds drop, a socket hears everything it is told, in order."""
    server = await stage.serve(SocketOptions(connect_timeout_seconds=0.2), QUICK)

    async def enter(socket, arguments):
        return [{"ok": True}]

    server.of("/").on("enter_session", enter)
    member = await stage.member("room")
    dropping = asyncio.create_task(drop(Target(stage.endpoint.port, "", "", ""), 200, at_once=10))
    for number in range(50):
        await server.of("/").to("room").emit("news", number)
        assert await member.event() == ["news", number]
    await dropping
    await server.of("/").to("room").emit("news", "last")
    assert await member.event() == ["news", "last"]
