"""Events that are emitted with an acknowledgement wanted."""

import asyncio
import json

import pytest

from tests.integration.socket_core.stage import turns, until, within
from tiebreak.socket_adapter.engine_io.options import EngineOptions
from tiebreak.socket_adapter.socket_io.broadcast import AcksMissing
from tiebreak.socket_adapter.socket_io.socket import SocketGone


async def asked(client):
    """The id of the acknowledgement that the next event wants, and the event."""
    packet = await client.next_packet()
    assert packet.startswith("42"), packet
    number, bracket, rest = packet[2:].partition("[")
    return int(number), json.loads(bracket + rest)


async def test_one_client_acknowledges(stage):
    """Its first argument comes back, None if there is none; each of several under way gets its own."""
    await stage.serve()
    member = await stage.member()
    waiting = [asyncio.create_task(stage.socket(member).emit_with_ack("question", at)) for at in range(3)]
    ids = {}
    for _ in range(3):
        id_, [_, at] = await asked(member)
        ids[at] = id_
    await member.send(f'43{ids[2]}["two","more"]', f"43{ids[0]}[]", f"43{ids[1]}[1]", f"43{ids[1]}[9]", "4399[]")
    assert await within(asyncio.gather(*waiting)) == [None, 1, "two"]


async def test_binary_acknowledgements(stage):
    """Bytes go both ways."""
    await stage.serve()
    member = await stage.member()
    waiting = asyncio.create_task(stage.socket(member).emit_with_ack("question", b"\x00"))
    head, attachment = await member.receive(2)
    assert attachment == b"\x00"
    id_ = head.removeprefix("451-").partition("[")[0]
    await member.send(f'461-{id_}[{{"_placeholder":true,"num":0}}]', b"\x01\x02")
    assert await within(waiting) == b"\x01\x02"


async def test_no_acknowledgement_in_time(stage):
    """TimeoutError; one that comes too late is ignored."""
    await stage.serve()
    member = await stage.member()
    waiting = asyncio.create_task(stage.socket(member).emit_with_ack("question", timeout_seconds=0.05))
    id_, _ = await asked(member)
    with pytest.raises(TimeoutError):
        await waiting
    await member.send(f'43{id_}["late"]')
    await stage.socket(member).emit("news")
    assert await member.event() == ["news"]


@pytest.mark.parametrize("end", ["drop", "disconnect", "namespace"])
async def test_a_client_that_leaves_before_it_acknowledges(stage, end):
    """SocketGone at once, not after the time-out."""
    await stage.serve()
    member = await stage.member()
    waiting = asyncio.create_task(stage.socket(member).emit_with_ack("question", timeout_seconds=60))
    await asked(member)
    if end == "drop":
        member.transport.connection.abort()
    elif end == "disconnect":
        stage.socket(member).disconnect()
    else:
        await member.send("41")
    with pytest.raises(SocketGone):
        await within(waiting)


async def test_a_client_that_is_gone_already(stage):
    """SocketGone, too: nobody is there to acknowledge."""
    await stage.serve()
    member = await stage.member()
    socket = stage.socket(member)
    socket.disconnect(close=True)
    with pytest.raises(SocketGone):
        await within(socket.emit_with_ack("question", timeout_seconds=60))


async def test_an_acknowledgement_right_before_leaving(stage):
    """It counts."""
    await stage.serve()
    member = await stage.member()
    waiting = asyncio.create_task(stage.socket(member).emit_with_ack("question", timeout_seconds=60))
    id_, _ = await asked(member)
    await member.send(f'43{id_}["yes"]', "41")
    assert await within(waiting) == "yes"


async def test_a_broadcast_collects_acknowledgements(stage):
    """Those of all who match, in the order they come, over both transports; with nobody there, none."""
    server = await stage.serve()
    members = [await stage.member("room"), await stage.polling_member("room"), await stage.member("room")]
    outside = await stage.member()
    waiting = asyncio.create_task(server.of("/").to("room").emit_with_ack("question"))
    for at in (2, 0, 1):
        id_, event = await asked(members[at])
        assert event == ["question"]
        await members[at].send(f"43{id_}[{at}]")
        await members[at].settle()
    assert await within(waiting) == [2, 0, 1]
    assert await within(server.of("/").to("empty").emit_with_ack("question")) == []
    await server.of("/").emit("last")
    assert await outside.event() == ["last"]


async def test_a_broadcast_acknowledged_with_nothing(stage):
    """An acknowledgement without an argument is one: nobody waits for another."""
    server = await stage.serve()
    members = [await stage.member() for _ in range(2)]
    waiting = asyncio.create_task(server.of("/").timeout(2).emit_with_ack("question"))
    for member, answer in zip(members, ("", '"yes"'), strict=True):
        id_, _ = await asked(member)
        await member.send(f"43{id_}[{answer}]")
        await member.settle()
    assert await within(waiting, 1) == [None, "yes"]


async def test_a_broadcast_that_not_all_acknowledge(stage):
    """AcksMissing carries the acknowledgements there are; late ones change nothing, and nothing is kept for them."""
    server = await stage.serve(engine_options=EngineOptions(ping_timeout_seconds=0.2))
    quick, late, leaver = [await stage.member() for _ in range(3)]
    waiting = asyncio.create_task(server.of("/").timeout(0.1).emit_with_ack("question"))
    ids = [(await asked(member))[0] for member in (quick, late, leaver)]
    await quick.send(f'43{ids[0]}["quick"]')
    leaver.transport.connection.abort()
    with pytest.raises(AcksMissing) as missing:
        await waiting
    assert missing.value.responses == ["quick"]
    await until(lambda: not stage.socket(late)._acks)
    await late.send(f'43{ids[1]}["late"]')
    await late.settle()
    assert missing.value.responses == ["quick"]


async def test_handlers_acknowledge(stage):
    """What a handler returns is acknowledged; None, or an event nobody handles, is not."""
    server = await stage.serve()

    async def echo(socket, arguments):
        return arguments

    async def nothing(socket, arguments):
        return None

    async def broken(socket, arguments):
        raise RuntimeError("the application's mistake")

    for name, handler in {"echo": echo, "nothing": nothing, "broken": broken}.items():
        server.of("/").on(name, handler)
    member = await stage.member()
    await member.emit("nothing", ack=1)
    await member.emit("unknown", ack=2)
    await member.emit("broken", ack=3)
    await member.emit("echo", ack=4)
    await member.emit("echo", 1, {"two": None}, ack=5)
    assert await member.receive(2) == ["434[]", '435[1,{"two":null}]']
    await turns()
    assert stage.is_connected(member)
