"""A client changes over from long-polling to a WebSocket while messages flow both ways."""

import asyncio
import json

import pytest
import socketio

from tests.conformance.web_socket import open_web_socket
from tests.integration.socket_core.clients import Client
from tests.integration.socket_core.stage import turns, until, within
from tiebreak.socket_adapter.engine_io import fan_out
from tiebreak.socket_adapter.engine_io.options import EngineOptions
from tiebreak.socket_adapter.socket_io.server import SocketOptions

MESSAGES = 300


@pytest.fixture(params=[2, 1_000])
def portion(request, monkeypatch):
    """Writes in one turn of the loop: fewer than there are recipients, or more."""
    monkeypatch.setattr(fan_out, "PORTION", request.param)


@pytest.mark.parametrize("at_once", [1, 20])
@pytest.mark.parametrize("options", [SocketOptions(), SocketOptions(max_handling=1, max_waiting=1)])
async def test_nothing_is_lost_or_doubled(stage, portion, at_once, options):
    """Messages to the room, to the socket and from it, all in order, whatever transport took them."""
    server = await stage.serve(options)
    received = []

    async def number(socket, arguments):
        received.append(arguments[0])
        await asyncio.sleep(0)

    server.of("/").on("number", number)
    member = await stage.polling_member("room")
    others = [await stage.member("room") for _ in range(4)]
    polling = member.transport
    socket = stage.socket(member)
    got: list[str] = []
    upgraded = asyncio.Event()

    async def emit():
        for at in range(MESSAGES):
            await server.of("/").to("room").emit("room", at)
            await socket.emit("you", at)
            if at % at_once == 0:
                await asyncio.sleep(0)
        await server.of("/").to("room").emit("last")

    async def poll():
        """As clients do: until the answer to a probe has come, and then to the end of the poll under way."""
        while not upgraded.is_set():
            got.extend((await polling.get()).text.split("\x1e"))

    async def post(numbers):
        for at in numbers:
            await polling.send(f'42["number",{at}]')

    async with open_web_socket(stage.endpoint, sid=polling.sid) as web_socket:
        emitting = asyncio.create_task(emit())
        reading = asyncio.create_task(poll())
        writing = asyncio.create_task(post(range(20)))
        await turns(20)
        await web_socket.send("2probe")
        assert await web_socket.receive() == "3probe"
        upgraded.set()
        await within(asyncio.gather(reading, writing))
        await web_socket.send("5", *(f'42["number",{at}]' for at in range(20, 100)))
        upgraded_client = Client(web_socket)
        while not got or got[-1] != '42["last"]':
            got.append(await upgraded_client.next_packet())
        await emitting
        await until(lambda: len(received) == 100)
    events = [json.loads(packet[2:]) for packet in got if packet != "6"]
    assert [event[1] for event in events if event[0] == "you"] == [*range(MESSAGES)]
    assert [event[1] for event in events if event[0] == "room"] == [*range(MESSAGES)]
    expected = [[name, at] for at in range(MESSAGES) for name in ("room", "you")]
    assert events == [*expected, ["last"]]
    assert received == [*range(100)]
    for other in others:
        assert len(await other.until("last")) == MESSAGES + 1


async def test_the_client_of_python_socketio(stage):
    """Calls and messages while it changes over, over and over again."""
    server = await stage.serve()

    async def echo(socket, arguments):
        await server.of("/").emit("news", *arguments)
        return arguments

    server.of("/").on("echo", echo)
    for _ in range(5):
        client = socketio.AsyncClient(reconnection=False)
        news = []
        client.on("news", news.append)
        await within(client.connect(f"http://127.0.0.1:{stage.endpoint.port}"))
        assert await within(asyncio.gather(*(client.call("echo", at) for at in range(50)))) == [*range(50)]
        assert sorted(news) == [*range(50)]
        assert client.transport() == "websocket"
        await client.disconnect()
    await until(lambda: not server.engine.sessions)


async def test_what_was_posted_when_the_transport_changed(stage):
    """A POST that waits for its turn while its client changes over is heard, or at least ends."""
    server = await stage.serve(SocketOptions(max_handling=1, max_waiting=1))
    go_on, received = asyncio.Event(), []

    async def number(socket, arguments):
        received.append(arguments[0])
        await go_on.wait()

    server.of("/").on("number", number)
    member = await stage.polling_member()
    posting = asyncio.create_task(member.transport.post('42["number",0]\x1e42["number",1]\x1e42["number",2]'))
    await until(lambda: received)
    async with open_web_socket(stage.endpoint, sid=member.transport.sid) as web_socket:
        await web_socket.send("2probe")
        assert await web_socket.receive() == "3probe"
        await web_socket.send("5", '42["number",3]')
        await until(lambda: server.engine.sessions[member.transport.sid].transport.name == "websocket")
        go_on.set()
        assert (await within(posting, 2)).status in (200, 400)
        await until(lambda: 3 in received)
        assert received in ([0, 1, 2, 3], [0, 1, 3])


async def test_a_websocket_that_is_dropped_half_way(stage):
    """The client goes on polling, and misses nothing; it may try again."""
    server = await stage.serve(engine_options=EngineOptions(ping_timeout_seconds=0.2, upgrade_timeout_seconds=0.1))
    member = await stage.polling_member("room")
    for said in ([], ["2probe"]):
        async with open_web_socket(stage.endpoint, sid=member.transport.sid) as web_socket:
            await web_socket.send(*said)
            for answer in said:
                assert await web_socket.receive() == answer.replace("2", "3", 1)
            await server.of("/").to("room").emit("meanwhile")
        await server.of("/").to("room").emit("afterwards")
        assert await member.events(2) == [["meanwhile"], ["afterwards"]]
    # One that is never finished is given up, and the poll waits again.
    async with open_web_socket(stage.endpoint, sid=member.transport.sid) as web_socket:
        await web_socket.send("2probe")
        assert await web_socket.receive() == "3probe"
        await within(Client(web_socket).goodbye())
    await server.of("/").to("room").emit("last")
    assert await member.event() == ["last"]


async def test_more_websockets_than_one(stage):
    """A second one for the same session is turned away; the session stays as it is, and nothing of it is left."""
    server = await stage.serve(engine_options=EngineOptions(ping_timeout_seconds=0.2, closing_seconds=0.2))
    polling, upgraded = await stage.polling_member("room"), await stage.member("room")
    async with open_web_socket(stage.endpoint, sid=polling.transport.sid) as probe:
        await probe.send("2probe")
        assert await probe.receive() == "3probe"
        for member in (polling, upgraded) * 3:
            async with open_web_socket(stage.endpoint, sid=member.transport.sid) as web_socket:
                await web_socket.send("2probe", "5", '42["number",1]')
                assert await Client(web_socket).goodbye() == []
        assert not server.engine.fan_out.slow
        await server.of("/").to("room").emit("last")
        assert await upgraded.event() == ["last"]
        assert await polling.event() == ["last"]
    await polling.send("1")
    await upgraded.send("1")
    await until(stage.is_empty)
