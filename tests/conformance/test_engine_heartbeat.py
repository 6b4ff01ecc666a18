"""Pings of the server, pongs of the client, and the end of a session that is no longer there."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.conformance.http_connection import request
from tests.conformance.long_polling import open_long_polling
from tests.conformance.server_program import Endpoint
from tests.conformance.web_socket import PONG, WebSocket, client_frame, open_engine, open_web_socket

PING_INTERVAL_SECONDS = 0.3
PING_TIMEOUT_SECONDS = 0.2
# What a busy machine may add.
SLACK_SECONDS = 1.5


async def pinged(socket: WebSocket, times: int = 3) -> None:
    for _ in range(times):
        assert await socket.receive() == "2"
        await socket.send("3")


async def test_ping_over_polling(fast_engine: Endpoint):
    """The server pings at its interval as long as each ping is answered."""
    session = await open_long_polling(fast_engine)
    began = time.monotonic()
    for _ in range(3):
        assert (await session.get()).text == "2"
        await session.send("3")
    assert 3 * PING_INTERVAL_SECONDS - 0.05 <= time.monotonic() - began <= 3 * PING_INTERVAL_SECONDS + SLACK_SECONDS


async def test_ping_over_web_socket(fast_engine: Endpoint):
    """The server pings at its interval as long as each ping is answered."""
    async with open_engine(fast_engine) as socket:
        began = time.monotonic()
        await pinged(socket)
        assert 3 * PING_INTERVAL_SECONDS - 0.05 <= time.monotonic() - began <= 3 * PING_INTERVAL_SECONDS + SLACK_SECONDS


async def test_ping_after_an_upgrade(fast_engine: Endpoint):
    """The heartbeat goes on over the new transport."""
    session = await open_long_polling(fast_engine)
    async with open_web_socket(fast_engine, sid=session.sid) as socket:
        await socket.send("2probe")
        assert await socket.receive() == "3probe"
        await socket.send("5")
        await pinged(socket)


async def test_ping_during_an_upgrade(fast_engine: Endpoint):
    """A ping that falls between probe and upgrade packet comes over the WebSocket, once."""
    session = await open_long_polling(fast_engine)
    async with open_web_socket(fast_engine, sid=session.sid) as socket:
        await socket.send("2probe")
        assert await socket.receive() == "3probe"
        await asyncio.sleep(PING_INTERVAL_SECONDS + 0.05)
        await socket.send("5")
        assert await socket.receive() == "2"
        await socket.send("3", "4hello")
        assert await socket.receive() == "4hello"
        await pinged(socket, 2)


async def test_silent_client_during_an_upgrade(fast_engine: Endpoint):
    """A session that ends for want of a pong ends the WebSocket that probes, too."""
    session = await open_long_polling(fast_engine)
    async with open_web_socket(fast_engine, sid=session.sid) as socket:
        await socket.send("2probe")
        assert await socket.goodbye() == ["3probe"]
    assert (await session.get()).json()["code"] == 1


async def test_pong_while_a_poll_waits(fast_engine: Endpoint):
    """A pong counts although the next GET waits already."""
    session = await open_long_polling(fast_engine)
    assert (await session.get()).text == "2"
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(session.get())
        await session.send("3")
    assert waiting.result().text == "2"


async def test_silent_client_over_polling(fast_engine: Endpoint):
    """A session whose client never comes back is unknown after interval and timeout."""
    session = await open_long_polling(fast_engine)
    await asyncio.sleep(PING_INTERVAL_SECONDS + PING_TIMEOUT_SECONDS + 0.2)
    assert (await session.get()).json()["code"] == 1


async def test_poll_that_waits_for_a_silent_client(fast_engine: Endpoint):
    """A GET that waits when the pong is overdue is answered, and the session unknown."""
    session = await open_long_polling(fast_engine)
    assert (await session.get()).text == "2"
    answer = await session.get()
    assert answer.text in ("1", "6") or answer.status == 400
    assert (await session.get()).json()["code"] == 1


@pytest.mark.parametrize("listens", [True, False], ids=["that listens", "that does not even listen"])
async def test_silent_client_over_web_socket(fast_engine: Endpoint, listens: bool):
    """A WebSocket whose client does not answer a ping in time is closed then: not before, not much later."""
    async with open_engine(fast_engine) as socket:
        began = time.monotonic()
        if not listens:
            await asyncio.sleep(PING_INTERVAL_SECONDS + PING_TIMEOUT_SECONDS + 0.2)
        assert await socket.goodbye() == ["2"]
        waited = time.monotonic() - began
        due = PING_INTERVAL_SECONDS + PING_TIMEOUT_SECONDS
        assert due - 0.05 <= waited <= due + SLACK_SECONDS


async def test_messages_are_no_pongs(fast_engine: Endpoint):
    """A client that sends but never answers a ping is closed."""
    async with open_engine(fast_engine) as socket:

        async def chatter() -> None:
            while True:
                await socket.try_to_send("6")
                await asyncio.sleep(0.05)

        chattering = asyncio.create_task(chatter())
        assert await socket.goodbye() == ["2"]
        chattering.cancel()


async def test_pong_of_the_web_socket_is_no_pong(fast_engine: Endpoint):
    """The heartbeat is Engine.IO's: pong frames of the WebSocket below do not keep a session."""
    async with open_engine(fast_engine) as socket:
        assert await socket.receive() == "2"
        await socket.send_raw(client_frame(PONG))
        assert await socket.goodbye() == []


async def test_dropped_web_socket_ends_its_session(engine: Endpoint):
    """A WebSocket that is gone without a word takes its session along."""
    async with open_engine(engine) as socket:
        socket.connection.abort()
        async with asyncio.timeout(5):
            # 3 while the session is there (the wrong transport), 1 afterwards.
            while (await request(engine, "GET", sid=socket.sid)).json()["code"] != 1:
                await asyncio.sleep(0.01)


async def test_close_packet_over_web_socket_with_a_heartbeat(fast_engine: Endpoint):
    """A client that says goodbye is closed, at the next heartbeat at the latest."""
    async with open_engine(fast_engine) as socket:
        await socket.send("1")
        assert await socket.goodbye() in ([], ["2"])


@pytest.mark.node_deviates("ignores the close packet; only the missing pong ends the session")
async def test_close_packet_over_web_socket(engine: Endpoint):
    """A client that says goodbye is closed at once, and what it sends afterwards is not taken."""
    async with asyncio.timeout(2), open_engine(engine) as socket:
        await socket.send("1", "4after")
        assert await socket.goodbye() == []
        assert (await request(engine, "GET", sid=socket.sid)).json()["code"] == 1
