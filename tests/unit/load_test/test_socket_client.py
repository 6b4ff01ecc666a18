"""A player's connection, against a real WebSocket server that does what the test says."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from aiohttp import web

from tests.unit.load_test.serving import serving
from tiebreak.load_test.http_client import Unanswered
from tiebreak.load_test.replies import Acknowledgement
from tiebreak.load_test.requests import socket_refused
from tiebreak.load_test.socket_client import SocketRefused, connected

OPEN = '0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":16384}'


def sockets(behave):
    """A server whose WebSockets `behave`, after the opening; its URL."""

    async def handle(request):
        if isinstance(behave, web.Response):
            return behave
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(OPEN)
        assert await socket.receive_str() == '40{"token":"secret"}'
        await behave(socket)
        return socket

    return serving(handle)


def replying(*messages):
    """Lets the socket in, and answers the first event with these messages; "close" closes."""

    async def behave(socket):
        await socket.send_str('40{"sid":"y"}')
        await socket.receive_str()
        for message in messages:
            if message == "close":
                await socket.close()
            else:
                await socket.send_str(message)
        await socket.receive()

    return behave


class Player:
    """What a client tells."""

    def __init__(self):
        self.events: list[bytes] = []
        self.lost = asyncio.Event()
        self.times_lost = 0
        self.times_malformed = 0

    def on_malformed(self):
        self.times_malformed += 1

    def on_lost(self):
        self.times_lost += 1
        self.lost.set()

    def on_event(self, payload):
        """Keeps it if it can be read."""
        msgspec.json.decode(payload[2:])
        self.events.append(payload)

    async def connect(self, url):
        return await connected(url, "secret", self.on_event, self.on_lost, self.on_malformed)


async def asked(*messages, seconds=5.0):
    """What `ask` gives when the server answers with these messages, and what the player was told."""
    player = Player()
    async with sockets(replying(*messages)) as url:
        client = await player.connect(url)
        try:
            return await client.ask("hello", {}, Acknowledgement, seconds=seconds), player
        finally:
            client.close()


async def test_acknowledgements_and_events():
    """Each to who waits for it; an acknowledgement nobody waits for is dropped."""
    acknowledged, player = await asked('4399[{"ok":false}]', '42["news",1]', '431[{"ok":true,"more":2}]')
    assert acknowledged == Acknowledgement(ok=True)
    assert player.events == [b'42["news",1]']


@pytest.mark.parametrize("malformed", ['42["news",', "43", "43x[1]", "44{"])
async def test_messages_that_cannot_be_read(malformed):
    """Are counted, and the connection is not lost by them."""
    acknowledged, player = await asked(malformed, '431[{"ok":true}]')
    assert acknowledged == Acknowledgement(ok=True)
    assert (player.times_malformed, player.times_lost, player.events) == (1, 0, [])


async def test_pings_are_answered():
    """Otherwise the server would close after a while."""
    answers = []

    async def behave(socket):
        await socket.send_str('40{"sid":"y"}')
        await socket.send_str("2")
        answers.append(await socket.receive_str())
        await socket.send_str("41")
        await socket.receive()

    player = Player()
    async with sockets(behave) as url, asyncio.timeout(10):
        await player.connect(url)
        await player.lost.wait()
    assert answers == ["3"]
    assert player.times_lost == 1


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        (["431[1,2]"], "malformed reply"),
        (["431[{]"], "malformed reply"),
        (["close"], "connection lost"),
        (["1"], "connection lost"),
        ([], "timeout"),
    ],
)
async def test_no_acknowledgement(messages, reason):
    """The message may have been carried out, and is to be sent again."""
    with pytest.raises(Unanswered) as raised:
        await asked(*messages, seconds=5.0 if messages else 0.1)
    assert raised.value.reason == reason


async def test_closing_it_ourselves_loses_nothing():
    """Only what was not wanted is told."""
    player = Player()
    async with sockets(replying()) as url:
        client = await player.connect(url)
        client.close()
        with pytest.raises(Unanswered):
            await client.ask("hello", {}, Acknowledgement, seconds=5)
    assert player.times_lost == 0


async def refuse(socket):
    await socket.send_str('44{"message":"Too many","data":{"code":"too_many_sockets"}}')
    await socket.receive()


@pytest.mark.parametrize(
    ("behave", "code"), [(refuse, "too_many_sockets"), (web.Response(status=429, text="slow down"), "429")]
)
async def test_sockets_that_are_refused(behave, code):
    """By the application or before it; whoever runs the test is told which setting to change."""
    async with sockets(behave) as url:
        with pytest.raises(SocketRefused) as refused:
            await Player().connect(url)
    assert refused.value.code == code
    assert "TIEBREAK_LIMIT_SOCKETS_PER_ADDRESS" in str(socket_refused(code, str(refused.value)))


async def test_nobody_there():
    """Is no refusal: it may be tried again."""
    with pytest.raises(Unanswered):
        await Player().connect("http://127.0.0.1:1")
