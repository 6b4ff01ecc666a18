"""Every message, in both directions, between our adapter and Node's."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from tests.integration.redis_streams.cluster import process
from tests.integration.redis_streams.namespaces import is_offset
from tests.integration.redis_streams.node import BYTES, VALUES, node_server
from tests.integration.redis_streams.waiting import until
from tiebreak.socket_adapter.redis_streams.emitter import Emission, Emitter
from tiebreak.socket_adapter.redis_streams.requests import AnswersMissing
from tiebreak.socket_adapter.socket_io.adapter import BroadcastOptions

ALL = BroadcastOptions()


class Meeting:
    """A process of ours with a recording namespace, a server of Node, and one client there, in the room `theirs`."""

    def __init__(self, ours, node, client, redis_url):
        self.ours = ours
        self.node = node
        self.client = client
        self.redis_url = redis_url

    @property
    def here(self):
        return self.ours.here

    @property
    def adapter(self):
        return self.ours.adapter

    @property
    def client_got(self):
        return self.client.got


@pytest.fixture
async def meeting(redis_url):
    async with process(redis_url) as ours, node_server(redis_url) as node:
        client = await node.client(node.url)
        await client.call("join", ["theirs"])
        async with asyncio.timeout(20):
            # Node begins to read at "$".
            while not client.received:
                await ours.adapter.broadcast(["anybody?"], ALL)
                await asyncio.sleep(0.05)
        await ours.adapter.broadcast(["begin"], ALL)
        await until(lambda: client.received[-1][0] == "begin")
        await until(lambda: ours.happened and ours.happened[-1][0] == "begin")
        client.received.clear()
        ours.happened.clear()
        ours.here.opts.clear()
        yield Meeting(ours, node, client, redis_url)
        await client.close()


async def test_broadcast_to_node(meeting):
    """Text, numbers and bytes; rooms and exceptions; both have the same offset."""
    data = ["event", *VALUES, 2**53 - 1, -0.5]
    for message, opts in [
        (data, ALL),
        (["bytes", b"\x00\xff{", {"deep": [b"\x01"]}, 2**40, 0.5, None], BroadcastOptions(rooms=("theirs",))),
        (["not for it"], BroadcastOptions(except_=("theirs",))),
        (["not for it"], BroadcastOptions(rooms=("ours",))),
        (["volatile"], BroadcastOptions(flags={"volatile": True})),
        (["last"], BroadcastOptions(rooms=("ours", "theirs"))),
    ]:
        await meeting.adapter.broadcast(message, opts)
    await until(lambda: ["last"] in meeting.client_got)
    as_json = {"type": "Buffer", "data": [0, 255, 123]}
    # Node drops a volatile message while a client is busy with another.
    assert [message for message in meeting.client_got if message != ["volatile"]] == [
        data,
        ["bytes", as_json, {"deep": [{"type": "Buffer", "data": [1]}]}, 2**40, 0.5, None],
        ["last"],
    ]
    await meeting.here.got(["last"])
    offsets = {message[0]: message[-1] for message in meeting.here.happened if is_offset(message[-1])}
    for message in meeting.client.received:
        assert offsets.get(message[0]) == (message[-1] if is_offset(message[-1]) else None)


async def test_broadcast_from_node(meeting):
    """The same the other way, `undefined` included."""
    node = meeting.node
    await node.ask("emit_values", event="values", rooms=["a", "b"], **{"except": ["c"]})
    await node.ask("emit_bytes", event="bytes")
    await node.ask("emit", messages=[["volatile", 1]], flags=["volatile"])
    await node.ask("emit", messages=[["local"]], flags=["local"])
    await node.ask("emit", messages=[["last"]])
    await meeting.here.got(["last"])
    messages = meeting.here.happened
    assert [message[:-1] for message in messages if message[0] != "volatile"] == [
        ["values", *VALUES],
        ["bytes", *BYTES, *VALUES],
        ["last"],
    ]
    assert messages[2] == ["volatile", 1]
    assert meeting.here.opts[0] == BroadcastOptions(("a", "b"), ("c",), {})
    assert meeting.here.opts[2].flags == {"volatile": True}
    assert not meeting.ours.streams.counts.of


async def test_rooms_and_disconnections_to_node(meeting):
    """Its sockets join, leave and are disconnected at our word."""
    theirs = BroadcastOptions(rooms=("theirs",))
    await meeting.adapter.add_sockets(theirs, ["one", "two"])
    await meeting.adapter.remove_sockets(theirs, ["two", "theirs"])
    await meeting.adapter.broadcast(["one"], BroadcastOptions(rooms=("one",)))
    await until(lambda: meeting.client_got == [["one"]])
    [socket] = await meeting.adapter.fetch_sockets(ALL)
    assert sorted(socket.rooms) == sorted([socket.id, "one"])
    await meeting.adapter.disconnect_sockets(BroadcastOptions(except_=("one",)), False)
    await meeting.adapter.broadcast(["still"], ALL)
    await until(lambda: ["still"] in meeting.client_got)
    await meeting.adapter.disconnect_sockets(BroadcastOptions(rooms=("one",)), False)
    await until(lambda: meeting.client.disconnections == ["io server disconnect"])


async def test_rooms_and_disconnections_from_node(meeting):
    """And ours at Node's."""
    ours = meeting.here.socket("ours", "room")
    other = meeting.here.socket("other")
    await meeting.node.ask("sockets_join", rooms=["room"], others=["one", "two"])
    await meeting.node.ask("sockets_leave", others=["two", "room"], **{"except": ["other"]})
    await until(lambda: ours.rooms == {"ours", "one"})
    assert other.rooms == {"other"}
    await meeting.node.ask("disconnect_sockets", rooms=["one"], close=True)
    await until(lambda: "ours" not in meeting.here.sockets)
    assert ["disconnected", "ours", True] in meeting.here.happened
    assert "other" in meeting.here.sockets


async def test_sockets_of_both(meeting):
    """Each sees the other's, with rooms, data and handshake."""
    ours = meeting.here.socket("ours", "room")
    ours.data = {"name": "Änn", "n": 1, "bytes": b"\x01"}
    await meeting.client.call("data", {"half": 0.5})
    found = {socket.id: socket for socket in await meeting.adapter.fetch_sockets(ALL)}
    theirs = found[meeting.client.connections[0]]
    assert (set(theirs.rooms), theirs.data) == ({theirs.id, "theirs"}, {"server": "Node", "half": 0.5})
    named = {"headers", "time", "address", "xdomain", "secure", "issued", "url", "query", "auth"}
    assert named <= set(theirs.handshake)
    assert set(found) == {"ours", theirs.id}
    seen = {socket["id"]: socket for socket in await meeting.node.ask("fetch_sockets")}
    assert set(seen) == {"ours", theirs.id}
    assert sorted(seen["ours"]["rooms"]) == ["ours", "room"]
    assert seen["ours"]["data"] == {"name": "Änn", "n": 1, "bytes": {"type": "Buffer", "data": [1]}}
    assert seen["ours"]["handshake"] == ours.handshake
    assert [socket["id"] for socket in await meeting.node.ask("fetch_sockets", rooms=["room"])] == ["ours"]
    assert [socket.id for socket in await meeting.adapter.fetch_sockets(BroadcastOptions(("theirs",)))] == [theirs.id]


async def test_servers_count_each_other(meeting):
    """Node's requests wait for us, ours for Node, and for those in the namespace only."""
    assert await meeting.adapter.server_count() == await meeting.node.ask("server_count") == 2
    assert await meeting.node.ask("server_count", namespace="/admin") == 1


async def test_servers_to_node(meeting):
    """Emitted, and answered with text, bytes and nothing."""
    await meeting.adapter.server_side_emit(["told", *VALUES])
    await meeting.node.told(*VALUES)
    ask = meeting.adapter.server_side_emit_with_ack
    assert await ask(["asked", {"n": 1}], 5) == [{"server": "Node", "question": {"n": 1}}]
    assert await ask(["asked_for_bytes"], 5) == [b"\x01\x02\x03"]
    assert await ask(["asked_for_nothing"], 5) == [None]
    with pytest.raises(AnswersMissing):
        await ask(["never_answered"], 0.3)


async def test_servers_from_node(meeting):
    """The same the other way."""
    await meeting.node.ask("server_side_emit", message=["told", 1])
    await meeting.node.ask("server_side_emit_bytes", event="bytes")
    await until(lambda: len(meeting.here.served) == 2)
    assert meeting.here.served == [["told", 1], ["bytes", *BYTES, *VALUES]]
    for answer, arrives in [({"a": [1]}, {"a": [1]}), (b"\x01", {"type": "Buffer", "data": [1]}), (None, None)]:
        meeting.here.answer = lambda data, respond, answer=answer: respond(answer)
        assert await meeting.node.ask("server_side_emit_with_ack", message=["asked"]) == {"answers": [arrives]}
    meeting.here.answer = lambda data, respond: None
    assert (
        "0 responses received out of 1"
        in (await meeting.node.ask("server_side_emit_with_ack", message=["asked"]))["missing"]
    )


async def test_acknowledged_by_node(meeting):
    """Node's clients acknowledge what we emit."""
    counts, acks = [], []
    opts = BroadcastOptions(flags={"timeout": 5_000})
    meeting.client.received.clear()
    meeting.here.socket("ours")
    await meeting.adapter.broadcast_with_ack(["who", b"\x01"], opts, counts.append, acks.append)
    await until(lambda: counts == [1, 1] and len(acks) == 2)
    assert acks == ["ours", {"client": meeting.client.name, "got": "who"}]
    assert meeting.client.received == [["who", {"type": "Buffer", "data": [1]}]]


async def test_acknowledged_here(meeting):
    """Our clients acknowledge what Node emits: each once, with text and bytes."""
    meeting.here.socket("one", "room")
    meeting.here.socket("two", "room")
    told = await meeting.node.ask("emit_with_ack", message=["who", 1], rooms=["room"])
    assert sorted(told["answers"]) == ["one", "two"]
    meeting.here.acknowledge = lambda socket, data, respond: respond(data[1])
    told = await meeting.node.ask("emit_bytes_with_ack", event="who", rooms=["one"])
    assert told["answers"] == [{"type": "Buffer", "data": [0, 255, 123]}]
    # Without an offset, of course.
    assert meeting.here.happened == [["who", 1], ["who", *BYTES]]
    meeting.here.acknowledge = lambda socket, data, respond: None
    told = await meeting.node.ask("emit_with_ack", message=["who"], rooms=["room"], timeout=200)
    assert (told["missing"], told["answers"]) == ("operation has timed out", [])


async def test_emitter(meeting):
    """A process without sockets: messages in one call and in order, joins, leaves and disconnections, on both sides."""
    ours = meeting.here.socket("ours", "room")
    async with Redis.from_url(meeting.redis_url) as redis:
        emitter = Emitter(redis)
        await emitter.sockets_join(["room"], to=["theirs"])
        await emitter.emit(
            [
                Emission(["one", {"n": 1}], ["room"]),
                Emission(["bytes", b"\x00"], ["room"], ["nobody"]),
                Emission(["latest"], ["room"], latest=True),
                Emission(["not for them"], except_=["room"]),
            ]
        )
        await emitter.sockets_leave(["room"], to=["room"], except_=["theirs"])
        await emitter.emit([Emission(["after"], ["room"])])
        await until(lambda: ["after"] in meeting.client_got)
        await meeting.here.got(["after"])
        expected = [["one", {"n": 1}], ["bytes", {"type": "Buffer", "data": [0]}], ["latest"], ["after"]]
        assert meeting.client_got == expected
        assert [message[0] for message in ours.received] == ["one", "bytes", "latest"]
        assert ours.received[2] == ["latest"]
        await emitter.disconnect_sockets(to=["ours"], close=True)
        await emitter.disconnect_sockets(to=["theirs"])
        await until(lambda: meeting.client.disconnections)
        await until(lambda: ["disconnected", "ours", True] in meeting.here.happened)


async def test_several_streams(redis_url):
    """Node's option streamCount: both read what the other appends, also where Node itself would not read it."""
    options = {"streamCount": 4}
    names = ("/", "/admin")
    async with process(redis_url, stream_count=4, namespaces=names) as ours, node_server(redis_url, **options) as node:
        for namespace in ours.namespaces:
            client = await node.client(node.url + namespace.name)
            async with asyncio.timeout(20):
                while not client.received:
                    await namespace.adapter.broadcast(["ours"], ALL)
                    await asyncio.sleep(0.05)
            assert client.received[0][0] == "ours"
            await node.ask("emit", namespace=namespace.name, messages=[["theirs"]])
            await until(lambda n=namespace: "theirs" in [message[0] for message in n.happened])
