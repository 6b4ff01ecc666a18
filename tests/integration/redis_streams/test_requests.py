"""Questions to all servers: who is there, what do you say, who has acknowledged."""

import asyncio

import pytest

from tests.integration.redis_streams.cluster import process
from tests.integration.redis_streams.namespaces import RecordingNamespace
from tests.integration.redis_streams.proxy import proxy_to
from tests.integration.redis_streams.waiting import until
from tiebreak.redis_client import RedisError, open_redis
from tiebreak.socket_adapter.redis_streams.requests import AnswersMissing
from tiebreak.socket_adapter.redis_streams.streams import RedisStreams
from tiebreak.socket_adapter.socket_io.adapter import BroadcastOptions, RemoteSocket

ALL = BroadcastOptions()


async def test_alone(redis_url):
    """Nobody else is asked, and nobody waited for."""
    async with process(redis_url) as a:
        ours = a.here.socket("ours")
        assert await a.adapter.server_count() == 1
        assert await a.adapter.fetch_sockets(ALL) == [RemoteSocket("ours", ["ours"], {}, ours.handshake)]
        assert await a.adapter.server_side_emit_with_ack(["asked", 1], 5) == []
        await a.adapter.server_side_emit(["told"])
        assert a.here.served == []


async def test_sockets_of_all(each_redis_url):
    """Of every server, with rooms, data and handshake; the options choose."""
    async with process(each_redis_url) as a, process(each_redis_url) as b, process(each_redis_url) as c:
        a.here.socket("a", "room")
        there = b.here.socket("b", "room", "other")
        there.data = {"name": "Ann", "bytes": b"\x00\xff", "big": 2**60, "none": None}
        c.here.socket("c")
        found = {socket.id: socket for socket in await a.adapter.fetch_sockets(ALL)}
        assert set(found) == {"a", "b", "c"}
        assert (set(found["b"].rooms), found["b"].data) == ({"b", "room", "other"}, there.data)
        assert found["b"].handshake == there.handshake
        chosen = BroadcastOptions(rooms=("room", "c"), except_=("other",))
        for each in (a, b, c):
            assert {socket.id for socket in await each.adapter.fetch_sockets(chosen)} == {"a", "c"}
            assert await each.adapter.server_count() == 3


async def test_servers_answer(redis_url):
    """Each once, whatever it answers; those who asked are not asked."""
    async with process(redis_url) as a, process(redis_url) as b, process(redis_url) as c:
        b.here.answer = lambda data, respond: (respond(b"\x00"), respond("again"))
        c.here.answer = lambda data, respond: asyncio.get_running_loop().call_later(0.05, respond, None)
        answers = await a.adapter.server_side_emit_with_ack(["asked", {"n": 1}, b"\x01"], 5)
        assert sorted(answers, key=str) == [None, b"\x00"]
        assert a.here.served == []
        assert b.here.served == c.here.served == [["asked", {"n": 1}, b"\x01"]]
        await b.adapter.server_side_emit(["told", 1])
        await until(lambda: a.here.served and c.here.served[1:])
        assert a.here.served == c.here.served[1:] == [["told", 1]]


async def test_a_server_that_does_not_answer(redis_url):
    """The question ends in time, and tells what the others have answered."""
    async with process(redis_url) as a, process(redis_url) as b, process(redis_url) as c:
        b.here.answer = lambda data, respond: None
        with pytest.raises(AnswersMissing, match="only 1 responses received out of 2") as missing:
            await a.adapter.server_side_emit_with_ack(["asked"], 0.3)
        assert missing.value.answers == [[]]
        assert isinstance(missing.value, TimeoutError)
        c.streams._subscriptions._receive = lambda channel, payload: None
        with pytest.raises(AnswersMissing):
            await a.adapter.fetch_sockets(BroadcastOptions(flags={"timeout": 300}))
        # Nothing of it is kept.
        assert not a.adapter._requests._gatherings


async def test_acknowledged_broadcast(redis_url):
    """Every server says how many clients it has, every client acknowledges; after the time-out nobody listens."""
    async with process(redis_url) as a, process(redis_url) as b, process(redis_url) as c:
        for at, each in enumerate((a, b, c)):
            for n in range(at):
                each.here.socket(f"{at}{n}", "room")
        late = []
        c.here.acknowledge = lambda socket, data, respond: (
            late.append(respond) if socket.id == "21" else respond([socket.id, b"\x00"])
        )
        counts, acks = [], []
        opts = BroadcastOptions(rooms=("room",), flags={"timeout": 400})
        await a.adapter.broadcast_with_ack(["e", b"\x01"], opts, counts.append, acks.append)
        await until(lambda: len(counts) == 3 and len(acks) == 2)
        assert (sorted(counts), acks[0] in ("10", ["20", b"\x00"])) == ([0, 1, 2], True)
        assert sorted(map(str, acks)) == ["10", "['20', b'\\x00']"]
        await until(lambda: not a.adapter._requests._broadcasts)
        late[0]("too late")
        await b.adapter.server_side_emit(["told"])
        await until(lambda: a.here.served)
        assert len(acks) == 2
        # No client can be sent it again: no offset.
        assert a.happened == b.happened == c.happened == [["e", b"\x01"]]


async def test_requests_without_redis(redis_url):
    """They raise; what can be done here is done."""
    async with proxy_to(redis_url) as proxy, process(proxy.url) as a:
        a.here.socket("ours")
        proxy.refusing = True
        proxy.cut()
        counts, acks = [], []
        with pytest.raises((RedisError, OSError)):
            await a.adapter.broadcast_with_ack(["e"], ALL, counts.append, acks.append)
        assert (counts, acks) == ([1], ["ours"])
        for request in (a.adapter.fetch_sockets(ALL), a.adapter.server_count(), a.adapter.server_side_emit(["e"])):
            with pytest.raises((RedisError, OSError)):
                await request
        proxy.refusing = False
        await a.streams.until_counted()
        async with process(redis_url) as b:
            assert [socket.id for socket in await b.adapter.fetch_sockets(ALL)] == ["ours"]


async def test_redis_goes_between_start_and_run(redis_url):
    """The process waits for it like at any other time."""
    async with proxy_to(redis_url) as proxy:
        redis = await open_redis(proxy.url)
        streams = RedisStreams(redis)
        namespace = RecordingNamespace()
        namespace.adapter = streams.adapter(namespace)
        await streams.start()
        proxy.refusing = True
        proxy.cut()
        running = asyncio.create_task(streams.run())
        await asyncio.sleep(1)
        proxy.refusing = False
        await streams.until_counted()
        await namespace.adapter.broadcast(["there"], ALL)
        await namespace.got(["there"])
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await redis.aclose()


async def test_an_answer_that_came_twice(redis_url):
    """Over a lost reply, Redis publishes again: a server counts once."""
    async with process(redis_url) as a, process(redis_url) as b, process(redis_url) as c:
        publish = b.streams._publisher.publish
        b.streams._publisher.publish = lambda *message: (publish(*message), publish(*message))
        b.here.answer = lambda data, respond: respond("b")
        c.here.answer = lambda data, respond: asyncio.get_running_loop().call_later(0.1, respond, "c")
        assert await a.adapter.server_side_emit_with_ack(["e"], 5) == ["b", "c"]
