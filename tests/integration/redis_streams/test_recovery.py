"""Connection state recovery: complete, or not at all."""

import asyncio
import base64
import random

import msgspec
import pytest
from redis.asyncio import Redis

from tests.integration.redis_streams.cluster import process
from tests.integration.redis_streams.proxy import proxy_to
from tests.integration.redis_streams.waiting import until
from tiebreak.socket_adapter.redis_streams import recovery as recovery_module
from tiebreak.socket_adapter.redis_streams.ring import Incomplete, Ring
from tiebreak.socket_adapter.socket_io.adapter import BroadcastOptions, SavedSession

ALL = BroadcastOptions()
PID = "secret"


def room(*names, **flags):
    return BroadcastOptions(rooms=names, flags=flags)


async def stored(redis, pid=PID):
    value = await redis.get(f"sio:session:{pid}")
    return msgspec.msgpack.decode(base64.b64decode(value)) if value else None


async def dropped_at(process, socket):
    """Drop it when it has had a message; the offset its client knows."""
    await process.adapter.broadcast(["anchor"], ALL)
    await process.here.got(["anchor"])
    process.adapter.connected(socket)
    process.adapter.dropped(socket)
    del process.here.sockets[socket.id]
    await process.streams.close()
    return process.here.offsets[-1]


async def caught_up(*processes):
    """All have read what the first emits now to nobody."""
    await processes[0].adapter.broadcast(["mark"], room("nobody"))
    for each in processes:
        await each.here.got(["mark"])


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_what_was_missed(each_redis_url, elsewhere):
    """By rooms and exceptions, in order, without what is volatile or acknowledged; on the same server or another."""
    async with process(each_redis_url) as a, process(each_redis_url) as b:
        socket = a.here.socket("sid", "room", pid=PID)
        socket.data = {"name": "Ann"}
        offset = await dropped_at(a, socket)
        for data, opts in [
            (["all"], ALL),
            (["room", 1], room("room")),
            (["other"], room("other")),
            (["own", b"\x00\xff"], room("sid")),
            (["two"], room("other", "room", "sid")),
            (["volatile"], room("room", volatile=True)),
            (["excepted"], BroadcastOptions(rooms=("room",), except_=("sid",))),
            (["excepted too"], BroadcastOptions(except_=("room",))),
            (["last"], BroadcastOptions(except_=("other",))),
        ]:
            await b.adapter.broadcast(data, opts)
        await b.adapter.broadcast_with_ack(["ack"], room("room", timeout=100), lambda _: None, lambda _: None)
        await b.adapter.add_sockets(room("nobody"), ["x"])
        await caught_up(a, b)
        there = b if elsewhere else a
        restored = await there.adapter.restore(PID, offset)
        assert sorted(restored.session.rooms) == ["room", "sid"]
        assert (restored.session.sid, restored.session.pid, restored.session.data) == ("sid", PID, {"name": "Ann"})
        assert [message[:-1] for message in restored.missed] == [
            ["all"],
            ["room", 1],
            ["own", b"\x00\xff"],
            ["two"],
            ["last"],
        ]
        assert [message[-1] for message in restored.missed] == sorted(message[-1] for message in restored.missed)
        # It is gone now.
        assert await there.adapter.restore(PID, offset) is None


async def test_the_last_message_was_the_last(redis_url):
    """Nothing was missed: that is a recovery too."""
    async with process(redis_url) as a:
        offset = await dropped_at(a, a.here.socket("sid", pid=PID))
        assert (await a.adapter.restore(PID, offset)).missed == []


async def test_from_the_stream(redis_url):
    """A server that began after the messages, or has dropped them, reads them from the stream, in bounded pages."""
    async with process(redis_url) as a:
        socket = a.here.socket("sid", "room", pid=PID)
        offset = await dropped_at(a, socket)
        messages = [["n", n] for n in range(700)]
        await asyncio.gather(
            *(a.adapter.broadcast(message, room("room" if message[1] % 2 else "other")) for message in messages)
        )
        async with process(redis_url) as b:
            await b.adapter.broadcast(["here"], room("room"))
            await b.here.got(["here"])
            restored = await b.adapter.restore(PID, offset)
            assert [message[:-1] for message in restored.missed] == [["n", n] for n in range(1, 700, 2)] + [["here"]]


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_without_an_offset(redis_url, elsewhere):
    """A client that was sent nothing with an offset gets all its rooms were sent since it connected."""
    async with process(redis_url) as a:
        await a.adapter.broadcast(["before"], ALL)
        await a.here.got(["before"])
        socket = a.here.socket("sid", "room", pid=PID)
        a.adapter.connected(socket)
        a.adapter.dropped(socket)
        del a.here.sockets[socket.id]
        await a.streams.close()
        await a.adapter.broadcast(["newest"], room("room", latest=True))
        await a.adapter.broadcast(["missed"], room("room"))
        async with process(redis_url) as b:
            await caught_up(a, b)
            restored = await (b if elsewhere else a).adapter.restore(PID, None)
            assert [message[:-1] for message in restored.missed] == [["missed"]]


async def test_what_is_not_recovered(redis_url):
    """Offsets and sessions nobody knows, and sessions that are none."""
    async with process(redis_url) as a, Redis.from_url(redis_url) as redis:
        offset = await dropped_at(a, a.here.socket("sid", pid=PID))
        session = await redis.get(f"sio:session:{PID}")
        ms, count = offset.split("-")
        restore = a.adapter.restore
        assert await restore("unknown", offset) is None
        for strange in ("", "0", "a-b", "1-1-1", "-1", f"{offset} ", f"{offset}\n", "9" * 30 + "-0", "１-１"):
            assert await restore(PID, strange) is None
            # Not even asked for.
            assert await redis.exists(f"sio:session:{PID}")
        for unknown in (f"{ms}-{int(count) + 1}", f"{int(ms) - 1}-0", "0-0", "1-1", f"{int(ms) + 10**6}-0"):
            await redis.set(f"sio:session:{PID}", session)
            assert await restore(PID, unknown) is None
        for broken in (b"", b"x", base64.b64encode(b"\xc1"), base64.b64encode(msgspec.msgpack.encode({"sid": 1}))):
            await redis.set(f"sio:session:{PID}", broken)
            assert await restore(PID, offset) is None
        await redis.set("sio:session:other", session)
        assert await restore("other", offset) is None
        await redis.set(f"sio:session:{PID}", session)
        assert await restore(PID, offset) is not None


async def test_trimmed_or_unreadable_in_between(redis_url):
    """The offset is gone from the stream, or something behind it cannot be read: the client is told it is new."""
    async with process(redis_url) as a, Redis.from_url(redis_url) as redis:
        offset = await dropped_at(a, a.here.socket("sid", pid=PID))
        session = await redis.get(f"sio:session:{PID}")
        await redis.xadd("socket.io", {"uid": "x", "nsp": "/", "type": "3", "data": "{"})
        await caught_up(a)
        assert await a.adapter.restore(PID, offset) is None
        async with process(redis_url) as b:
            await redis.set(f"sio:session:{PID}", session)
            assert await b.adapter.restore(PID, offset) is None
            await redis.set(f"sio:session:{PID}", session)
            await redis.xtrim("socket.io", maxlen=1, approximate=False)
            assert await b.adapter.restore(PID, offset) is None


async def test_too_much(redis_url, monkeypatch):
    """More than a bound in count or bytes is not sent again; what others missed does not count."""
    monkeypatch.setattr(recovery_module, "MAX_MISSED", 10)
    async with process(redis_url) as a, Redis.from_url(redis_url) as redis:
        offset = await dropped_at(a, a.here.socket("sid", "room", pid=PID))
        session = await redis.get(f"sio:session:{PID}")
        for n in range(10):
            await a.adapter.broadcast(["n", n], room("room"))
            await a.adapter.broadcast(["n", n], room("other"))
        await caught_up(a)
        assert len((await a.adapter.restore(PID, offset)).missed) == 10
        await a.adapter.broadcast(["n", 10], room("room"))
        await caught_up(a)
        for _ in range(2):
            await redis.set(f"sio:session:{PID}", session)
            assert await a.adapter.restore(PID, offset) is None
        async with process(redis_url) as b:
            await redis.set(f"sio:session:{PID}", session)
            assert await b.adapter.restore(PID, offset) is None


async def test_a_gap_meanwhile(redis_url):
    """We lost entries: who was away then is new, who drops later is not."""
    async with process(redis_url) as a, Redis.from_url(redis_url) as redis:
        offset = await dropped_at(a, a.here.socket("sid", pid=PID))
        session = await redis.get(f"sio:session:{PID}")
        await redis.delete("socket.io")
        await until(lambda: a.gaps)
        assert await a.adapter.restore(PID, offset) is None
        await a.adapter.broadcast(["new"], ALL)
        await a.here.got(["new"])
        await redis.set(f"sio:session:{PID}", session)
        await a.adapter.broadcast(["newer"], ALL)
        await a.here.got(["newer"])
        restored = await a.adapter.restore(PID, a.here.happened[-2][-1])
        assert [message[0] for message in restored.missed] == ["newer"]


async def test_messages_of_a_stray_stream(redis_url):
    """Node puts some namespaces' messages where they have no order with the others: nobody is recovered over those."""
    options = {"namespaces": ("/a",), "stream_count": 4}
    async with process(redis_url, **options) as a, Redis.from_url(redis_url) as redis:
        offset = await dropped_at(a, a.here.socket("sid", pid=PID))
        session = await redis.get(f"sio:session:{PID}")
        stray = '{"opts":{"rooms":["other"]},"packet":{"type":2,"data":["stray"]}}'
        await redis.xadd("socket.io--3", {"uid": "node", "nsp": "/a", "type": "3", "data": stray})
        await a.here.got(["stray"])
        assert await a.adapter.restore(PID, offset) is None
        await a.adapter.broadcast(["later"], ALL)
        await a.here.got(["later"])
        await redis.set(f"sio:session:{PID}", session)
        assert (await a.adapter.restore(PID, a.here.offsets[-1])).missed == []


async def test_a_server_that_is_behind(redis_url):
    """The client has had a message from a faster server: we catch up first, and it does not get it twice."""
    async with proxy_to(redis_url) as proxy, process(redis_url) as a, process(proxy.url) as b:
        socket = a.here.socket("sid", pid=PID)
        await a.adapter.broadcast(["first"], ALL)
        await b.here.got(["first"])
        b.here.is_behind = True
        await a.adapter.broadcast(["second"], ALL)
        await b.here.got(["second"])
        offset = await dropped_at(a, socket)
        assert b.happened[-1][0] == "second"
        restoring = asyncio.create_task(b.adapter.restore(PID, offset))
        await asyncio.sleep(0.1)
        b.here.is_behind = False
        restored = await restoring
        assert restored.missed == []
        assert b.happened[-1][0] == "anchor"


async def test_neither_lost_nor_doubled(redis_url):
    """Messages come all the time while a socket goes and comes back, between two servers: it has each once."""
    async with process(redis_url) as a, process(redis_url) as b:
        sent = 0
        stop = False

        async def emit():
            nonlocal sent
            while not stop:
                await random.choice([a, b]).adapter.broadcast(["n", sent], room("room"))
                sent += 1

        emitting = asyncio.create_task(emit())
        socket = a.here.socket("sid", "room", pid=PID)
        a.adapter.connected(socket)
        await until(lambda: socket.received)
        first = socket.received[0][1]
        received = []
        at, recovered = a, 0
        for turn in range(40):
            seen = socket.received
            target = sent + random.randrange(1, 10)
            await until(lambda target=target, seen=seen: sent > target and seen)
            at.adapter.dropped(socket)
            del at.here.sockets["sid"]
            have = [*received, *seen] if turn else list(seen)
            offset = have[-1][-1]
            await asyncio.sleep(random.random() * 0.01)
            await at.streams.close()
            at = random.choice([a, b])
            # As a namespace does it: no await between the two.
            restored = await at.adapter.restore(PID, offset)
            assert restored
            socket = at.here.socket(restored.session.sid, *restored.session.rooms, pid=PID)
            recovered += 1
            at.adapter.connected(socket)
            received = [*have, *restored.missed]
        stop = True
        await emitting
        await caught_up(a, b)
        received += socket.received
        numbers = [message[1] for message in received if message[0] == "n"]
        assert numbers == list(range(first, sent))
        assert recovered == 40


def test_ring_is_bounded():
    """By count and by bytes; what left it is not found in a room any more."""
    ring = Ring("0-0", max_count=3)
    for n in range(1, 6):
        ring.add(f"{n}-0", ("even",) if n % 2 == 0 else (), (), b"x")
    assert (ring.base, ring.newest, "2-0" in ring, "3-0" in ring) == ("2-0", "5-0", False, True)
    assert [kept.id for kept in ring.after("3-0", {"even"}, max_count=9, max_bytes=99)] == ["4-0", "5-0"]
    assert [kept.id for kept in ring.after(None, {"odd"}, max_count=9, max_bytes=99)] == ["3-0", "5-0"]
    with pytest.raises(Incomplete):
        ring.after(None, {"even"}, max_count=2, max_bytes=99)
    with pytest.raises(Incomplete):
        ring.after(None, {"even"}, max_count=9, max_bytes=2)
    ring.add("6-0", (), (), None)
    with pytest.raises(Incomplete):
        ring.after("5-0", (), max_count=9, max_bytes=99)
    small = Ring("0-0", max_bytes=100_000)
    for n in range(1, 1_000):
        small.add(f"{n}-0", [f"room {n}"], (), b"x" * 1_000)
    assert 50 < len(small._kept) < 100
    assert len(small._by_room) == len(small._by_id) == len(small._kept)


def test_saved_as_node_does():
    """The four fields are Node's."""
    assert SavedSession.__struct_fields__ == ("sid", "pid", "rooms", "data")
