"""Two thousand sockets come, sit in rooms, and leave: nothing of them is left."""

from __future__ import annotations

import asyncio
import gc
import resource
from collections import Counter

import pytest
from websockets.asyncio.client import connect

from tests.conformance.http_connection import connect as tcp_connection
from tests.conformance.web_socket import handshake, open_web_socket
from tests.integration.socket_core.stage import until, within
from tiebreak.socket_adapter.engine_io.options import EngineOptions
from tiebreak.socket_adapter.engine_io.polling import Polling
from tiebreak.socket_adapter.engine_io.request import Request
from tiebreak.socket_adapter.engine_io.session import Session
from tiebreak.socket_adapter.engine_io.web_socket import WebSocket
from tiebreak.socket_adapter.socket_io.client import Client
from tiebreak.socket_adapter.socket_io.socket import Socket

ROOMS = 100
CROWD = 2_000
OPEN_FILES = 2 * CROWD + 500
# The wheel, which every time of a socket hangs on, turns every 10 ms.
QUICK = EngineOptions(ping_timeout_seconds=0.2, ping_interval_seconds=30, closing_seconds=0.2)
# What the server has one of for each connection.
KINDS = (Session, WebSocket, Polling, Client, Socket, Request)


@pytest.fixture
def open_files():
    """Both ends of every connection are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, OPEN_FILES), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Listener(asyncio.Protocol):
    """A socket that asks for a room and keeps what it hears."""

    def __init__(self, endpoint, room):
        self._opening = handshake(endpoint, {"X-Room": room})
        self._data = b""
        self.heard = []
        self.is_in = asyncio.get_running_loop().create_future()
        self.gone = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        transport.write(self._opening)

    def data_received(self, data):
        self._data += data
        if b"\r\n\r\n" in self._data:
            self._data = self._data.partition(b"\r\n\r\n")[2]
        while len(self._data) >= 2 and len(self._data) >= 2 + self._data[1]:
            packet, self._data = self._data[2 : 2 + self._data[1]], self._data[2 + self._data[1] :]
            if packet.startswith(b"0"):
                self.transport.write(b"\x81\x82\0\0\0\x0040")
            elif packet.startswith(b"40"):
                self.is_in.set_result(None)
            else:
                self.heard.append(packet)

    def connection_lost(self, exc):
        self.gone.set_result(None)


def living():
    """How many objects of each kind there are; while the collector is off, garbage included."""
    if gc.isenabled():
        gc.collect()
    count = Counter(map(type, gc.get_objects()))
    return {kind: count[kind] for kind in KINDS}


def since(before):
    """How many more there are than before."""
    return {kind: count - before[kind] for kind, count in living().items()}


async def crowd_of(stage, count):
    """So many sockets in ROOMS rooms, connected a hundred at a time."""
    loop = asyncio.get_running_loop()

    async def enter(at):
        _, listener = await loop.create_connection(
            lambda: Listener(stage.endpoint, f"room {at % ROOMS}"), "127.0.0.1", stage.endpoint.port
        )
        await listener.is_in
        return listener

    return [
        listener
        for begun in range(0, count, 100)
        for listener in await asyncio.gather(*(enter(at) for at in range(begun, begun + 100)))
    ]


async def join_asked(socket):
    socket.join(socket.handshake["headers"]["x-room"])


@pytest.mark.parametrize("end", ["goodbye", "drop", "disconnect", "close"])
async def test_a_crowd(stage, open_files, end):
    """Each hears what is said in its room, and nothing else; afterwards the server holds nothing of it."""
    server = await stage.serve(engine_options=QUICK)
    server.of("/").on_connection(join_asked)
    before = living()
    listeners = await crowd_of(stage, CROWD)
    await until(lambda: all(socket.joined for socket in server.of("/").rooms.sockets.values()))
    assert len(server.of("/").rooms.names()) == ROOMS
    for number in range(3):
        for room in range(ROOMS):
            await server.of("/").to(f"room {room}").emit("news", room, number)
    await server.of("/").emit("last")
    await until(lambda: all(listener.heard[-1:] == [b'42["last"]'] for listener in listeners))
    for at, listener in enumerate(listeners):
        expected = [b'42["news",%d,%d]' % (at % ROOMS, number) for number in range(3)]
        assert listener.heard == [*expected, b'42["last"]']

    assert since(before) == dict.fromkeys(KINDS, CROWD) | {Polling: 0}
    if end == "goodbye":
        for listener in listeners:
            listener.transport.write(b"\x88\x82\0\0\0\0\x03\xe8")
    elif end == "drop":
        for listener in listeners:
            listener.transport.abort()
    elif end == "disconnect":
        await server.of("/").disconnect_sockets(close=True)
    else:
        await within(server.close())
    await until(lambda: not server.engine.sessions)
    for listener in listeners:
        listener.transport.abort()
    await within(asyncio.gather(*(listener.gone for listener in listeners)))
    await until(stage.is_empty)
    assert since(before) == dict.fromkeys(KINDS, 0)
    assert Counter(stage.reasons.values()).total() == CROWD


@pytest.mark.parametrize("end", ["goodbye", "drop", "disconnect"])
async def test_who_leaves_leaves_nothing_to_the_collector(stage, end):
    """What belonged to a connection is freed without a collection: what is frozen would stay for ever."""
    server = await stage.serve(engine_options=QUICK)
    server.of("/").on_connection(join_asked)
    gc.collect()
    gc.disable()
    before = living()
    try:
        listeners = await crowd_of(stage, 100)
        await until(lambda: all(socket.joined for socket in server.of("/").rooms.sockets.values()))
        assert since(before) == dict.fromkeys(KINDS, 100) | {Polling: 0}
        if end == "goodbye":
            for listener in listeners:
                listener.transport.write(b"\x88\x82\0\0\0\0\x03\xe8")
        elif end == "drop":
            for listener in listeners:
                listener.transport.abort()
        else:
            await server.of("/").disconnect_sockets(close=True)
            await until(lambda: not server.engine.sessions)
            for listener in listeners:
                listener.transport.abort()
        await within(asyncio.gather(*(listener.gone for listener in listeners)))
        await until(lambda: not server.engine.sessions)
        await until(stage.is_empty)
        assert since(before) == dict.fromkeys(KINDS, 0)
    finally:
        gc.enable()


@pytest.mark.parametrize("end", ["goodbye", "disconnect", "upgrade", "close"])
async def test_who_has_polled_leaves_nothing_to_the_collector(stage, end):
    """The same for long-polling, and for clients that have changed over."""
    server = await stage.serve(engine_options=QUICK)
    gc.collect()
    gc.disable()
    before = living()
    try:
        for _ in range(5):
            member = await stage.polling_member("room")
            if end == "goodbye":
                await member.send("1")
            elif end == "upgrade":
                async with open_web_socket(stage.endpoint, sid=member.transport.sid) as web_socket:
                    await web_socket.send("2probe")
                    assert await web_socket.receive() == "3probe"
                    await web_socket.send("5")
                    await web_socket.settle()
            elif end == "disconnect":
                stage.socket(member).disconnect(close=True)
                assert await member.goodbye() == ["41"]
        if end == "close":
            await server.close()
        await until(stage.is_empty)
        assert since(before) == dict.fromkeys(KINDS, 0)
    finally:
        gc.enable()


async def test_the_websockets_library(stage):
    """A client that is not ours: pings, fragments, and a closing handshake."""
    server = await stage.serve()
    received = []

    async def echo(socket, arguments):
        received.append(arguments)
        return arguments

    server.of("/").on("echo", echo)
    url = f"ws://127.0.0.1:{stage.endpoint.port}/socket.io/?EIO=4&transport=websocket"
    async with connect(url, compression="deflate") as client:
        assert (await client.recv()).startswith("0{")
        await client.send("40")
        assert (await client.recv()).startswith("40{")
        await within(await client.ping())
        await client.send(["421", '["echo",', '"', "ä" * 1_000, '"]'])
        assert await client.recv() == f'431["{"ä" * 1_000}"]'
    assert client.close_code == 1000
    await until(lambda: not server.engine.sessions)
    assert list(stage.reasons.values()) == ["transport close"]


async def test_connections_that_never_say_what_they_want(stage):
    """Hundreds of open connections keep nobody from being served."""
    await stage.serve()
    async with asyncio.timeout(10):
        silent = [tcp_connection(stage.endpoint) for _ in range(400)]
        for connection in silent:
            await connection.__aenter__()
        member = await stage.member()
        assert stage.is_connected(member)
        for connection in silent:
            await connection.__aexit__(None, None, None)
