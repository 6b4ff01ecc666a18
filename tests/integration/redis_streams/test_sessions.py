"""Sessions in Redis: saved while sockets are connected, and never put back by who lost them."""

import asyncio
import base64

import msgspec
import pytest
from redis.asyncio import Redis

from tests.integration.redis_streams.cluster import process
from tests.integration.redis_streams.proxy import proxy_to
from tests.integration.redis_streams.waiting import until
from tiebreak.socket_adapter.socket_io.adapter import BroadcastOptions

ALL = BroadcastOptions()


class HeldClock:
    """Stands still until the test moves it."""

    def __init__(self):
        self.seconds = 1_000.0

    def now_ms(self):
        return int(self.seconds * 1_000)

    def monotonic(self):
        return self.seconds

    async def sleep(self, seconds):
        await asyncio.sleep(seconds / 10)


async def stored(redis, pid):
    value = await redis.get(f"sio:session:{pid}")
    return msgspec.msgpack.decode(base64.b64decode(value)) if value else None


async def flushed(*processes):
    for each in processes:
        await each.streams.close()


async def anchored(process):
    """An offset everybody knows."""
    await process.adapter.broadcast(["anchor"], ALL)
    await process.here.got(["anchor"])
    return process.here.offsets[-1]


async def test_while_connected(each_redis_url):
    """Saved within about a second, with the server that holds it, and again when rooms change; longer than recovery."""
    async with process(each_redis_url) as a, Redis.from_url(each_redis_url) as redis:
        socket = a.here.socket("sid", "room", pid="pid")
        socket.data = {"name": "Ann", "bytes": b"\x00"}
        a.adapter.connected(socket)
        saved = await eventually_stored(redis, "pid")
        assert sorted(saved.pop("rooms")) == ["room", "sid"]
        assert saved.pop("since") == "0-0"
        assert saved == {"sid": "sid", "pid": "pid", "data": socket.data, "holder": a.streams.uid}
        assert 38_000 < await redis.pttl("sio:session:pid") <= 40_000
        socket.joined.add("other")
        a.adapter.connected(socket)
        await until(lambda: not a.adapter._sessions._due)
        assert "other" in (await stored(redis, "pid"))["rooms"]


async def eventually_stored(redis, pid):
    async with asyncio.timeout(5):
        while (saved := await stored(redis, pid)) is None:
            await asyncio.sleep(0.02)
    return saved


async def test_dropped_and_left(redis_url):
    """At once: dropped, it lives for the recovery time, with the rooms it had; left, it is gone."""
    async with process(redis_url) as a, Redis.from_url(redis_url) as redis:
        gone, stays = (a.here.socket(name, "room", pid=name) for name in ("gone", "stays"))
        for socket in (gone, stays):
            a.adapter.connected(socket)
        await flushed(a)
        a.adapter.dropped(gone)
        a.adapter.left(stays)
        # Its namespace takes it out of its rooms now.
        gone.joined.clear()
        await until(lambda: not a.adapter._sessions._due)
        await asyncio.sleep(0.05)
        saved = await stored(redis, "gone")
        assert (sorted(saved["rooms"]), set(saved)) == (["gone", "room"], {"sid", "pid", "rooms", "data", "since"})
        assert 18_000 < await redis.pttl("sio:session:gone") <= 20_000
        assert await stored(redis, "stays") is None
        # Never saved: nothing to delete, and nobody asks for it.
        short = a.here.socket("short", pid="short")
        a.adapter.connected(short)
        a.adapter.left(short)
        a.adapter.dropped(short)
        await flushed(a)
        assert await stored(redis, "short") is None


async def test_renewed(redis_url):
    """Well before it expires, with what is in it by then; one that has changed nothing, too."""
    clock = HeldClock()
    async with process(redis_url, clock=clock) as a, Redis.from_url(redis_url) as redis:
        sockets = [a.here.socket(f"s{n}", pid=f"p{n}") for n in range(450)]
        for socket in sockets:
            a.adapter.connected(socket)
        await flushed(a)
        assert len(await redis.keys("sio:session:*")) == 450
        for socket in sockets:
            socket.data = {"later": True}
            await redis.pexpire(f"sio:session:{socket.pid}", 5_000)
        clock.seconds += 19
        await asyncio.sleep(1.2)
        assert await redis.pttl("sio:session:p7") < 5_000
        clock.seconds += 2
        await until(lambda: a.adapter._sessions._held["p449"].saved_at == clock.seconds)
        assert min([await redis.pttl(f"sio:session:p{n}") for n in range(450)]) > 38_000
        assert (await stored(redis, "p7"))["data"] == {"later": True}


async def test_taken_by_another_server(redis_url):
    """The client is with another server: the dead connection here is closed, and never writes its session again."""
    async with process(redis_url) as a, process(redis_url) as b, Redis.from_url(redis_url) as redis:
        zombie = a.here.socket("sid", "old", pid="pid")
        a.adapter.connected(zombie)
        await flushed(a)
        restored = await b.adapter.restore("pid", await anchored(b))
        socket = b.here.socket("sid", "new", pid=restored.session.pid)
        b.adapter.connected(socket)
        await flushed(b)
        # Long before it would have found out by itself.
        await until(lambda: ["disconnected", "sid", True] in a.happened, seconds=5)
        await flushed(a)
        assert (await stored(redis, "pid"))["holder"] == b.streams.uid
        assert "sid" in b.here.sockets
        b.adapter.dropped(socket)
        await flushed(b)
        a.adapter.dropped(zombie)
        await flushed(a)
        assert "new" in (await stored(redis, "pid"))["rooms"]


@pytest.mark.parametrize("by_node", [False, True])
async def test_taken_without_a_word(redis_url, by_node):
    """The other server told us nothing: whatever the dead connection here does, the session is the other's."""
    async with process(redis_url) as a, Redis.from_url(redis_url) as redis:
        zombie = a.here.socket("sid", "old", pid="pid")
        a.adapter.connected(zombie)
        await flushed(a)
        await redis.delete("sio:session:pid")
        if by_node:
            value = base64.b64encode(msgspec.msgpack.encode({"sid": "sid", "pid": "pid", "rooms": ["new"], "data": {}}))
            await redis.set("sio:session:pid", value)
        a.adapter.connected(zombie)
        await flushed(a)
        # What is certain is acted upon.
        assert ("sid" in a.here.sockets) is not by_node
        if "sid" in a.here.sockets:
            a.adapter.connected(zombie)
            await flushed(a)
        for end in (a.adapter.dropped, a.adapter.left):
            end(zombie)
            await flushed(a)
        assert await redis.get("sio:session:pid") == (value if by_node else None)


async def test_back_on_the_same_server(redis_url):
    """The dead connection was here: the new socket's session is the one that is written."""
    async with process(redis_url) as a, Redis.from_url(redis_url) as redis:
        offset = await anchored(a)
        zombie = a.here.socket("sid", "old", pid="pid")
        a.adapter.connected(zombie)
        restored = await a.adapter.restore("pid", offset)
        assert sorted(restored.session.rooms) == ["old", "sid"]
        socket = a.here.socket("sid", "new", pid="pid")
        a.adapter.connected(socket)
        a.adapter.dropped(zombie)
        a.adapter.left(zombie)
        await flushed(a)
        assert sorted((await stored(redis, "pid"))["rooms"]) == ["new", "sid"]
        a.adapter.dropped(socket)
        assert (await a.adapter.restore("pid", offset)).session.sid == "sid"


async def test_nobody_claims_it(redis_url):
    """The client was gone again, or refused, before it was back: its session can be restored once more."""
    async with process(redis_url) as a, process(redis_url) as b, Redis.from_url(redis_url) as redis:
        offset = await anchored(a)
        await b.here.got(["anchor"])
        socket = a.here.socket("sid", "room", pid="pid")
        a.adapter.connected(socket)
        a.adapter.dropped(socket)
        await flushed(a)
        assert (await b.adapter.restore("pid", offset)).session.sid == "sid"
        assert await stored(redis, "pid") is None
        assert (await eventually_stored(redis, "pid"))["sid"] == "sid"
        assert 18_000 < await redis.pttl("sio:session:pid") <= 20_000
        # Of no use to anybody: not put back.
        assert await b.adapter.restore("pid", "1-1") is None
        restored = await a.adapter.restore("pid", offset)
        assert restored is None
        await asyncio.sleep(2.2)
        assert await stored(redis, "pid") is None


async def test_a_bad_offset_takes_nothing(redis_url):
    """Whoever names the secret of a connected socket with nonsense changes nothing for it."""
    async with process(redis_url) as a, Redis.from_url(redis_url) as redis:
        socket = a.here.socket("sid", pid="pid")
        a.adapter.connected(socket)
        await flushed(a)
        assert await a.adapter.restore("pid", "nonsense") is None
        socket.joined.add("room")
        a.adapter.connected(socket)
        await flushed(a)
        assert "room" in (await stored(redis, "pid"))["rooms"]


async def test_redis_was_emptied(redis_url):
    """All sessions are written again, without anybody's doing."""
    async with process(redis_url) as a, Redis.from_url(redis_url) as redis:
        await anchored(a)
        for n in range(3):
            a.adapter.connected(a.here.socket(f"s{n}", pid=f"p{n}"))
        await flushed(a)
        await redis.flushall()
        await until(lambda: a.gaps)
        await eventually_stored(redis, "p2")
        assert len(await redis.keys("sio:session:*")) == 3
        assert len(a.here.sockets) == 3


async def test_lost_replies_and_outages(redis_url):
    """Replies to saves are lost, and Redis is away for a while: the last word is written, and nobody is closed."""
    async with proxy_to(redis_url) as proxy, process(proxy.url) as a, Redis.from_url(redis_url) as redis:
        socket = a.here.socket("sid", pid="pid")
        for n in range(5):
            socket.data = {"n": n}
            a.adapter.connected(socket)
            proxy.lose_reply_to(b"sio:session")
            await flushed(a)
            assert proxy.has_lost
        assert (await stored(redis, "pid"))["data"] == {"n": 4}
        proxy.refusing = True
        proxy.cut()
        for n in range(5, 8):
            socket.data = {"n": n}
            a.adapter.connected(socket)
            await flushed(a)
        proxy.refusing = False
        a.adapter.dropped(socket)
        async with asyncio.timeout(10):
            while (await stored(redis, "pid"))["data"] != {"n": 7}:
                await asyncio.sleep(0.02)
        assert "sid" in a.here.sockets


async def test_closing_waits_for_what_is_being_written(redis_url):
    """A process that ends has its last sessions in Redis, those too whose writing had begun."""
    async with proxy_to(redis_url) as proxy, process(proxy.url) as a, Redis.from_url(redis_url) as redis:
        for n in range(20):
            socket = a.here.socket("sid", pid=f"pid {n}")
            a.adapter.connected(socket)
            a.adapter.dropped(socket)
            # The task that saves has begun.
            await until(lambda: not a.adapter._sessions._due)
            await a.streams.close()
            assert await stored(redis, f"pid {n}")


async def test_data_that_cannot_be_saved(redis_url):
    """It is counted; the other sessions are saved."""
    async with process(redis_url) as a, Redis.from_url(redis_url) as redis:
        for name, data in (("bad", {"n": 2**70}), ("good", {"n": 1})):
            socket = a.here.socket(name, pid=name)
            socket.data = data
            a.adapter.connected(socket)
        await flushed(a)
        assert a.streams.counts.of["unsaved"] == 1
        assert await stored(redis, "good")
        assert await stored(redis, "bad") is None


async def test_not_recoverable(redis_url):
    """Recovery is off: nothing is saved, nothing restored."""
    async with process(redis_url, recovery_ms=0) as a, Redis.from_url(redis_url) as redis:
        socket = a.here.socket("sid", pid="pid")
        for happened in (a.adapter.connected, a.adapter.dropped, a.adapter.left):
            happened(socket)
        await flushed(a)
        assert await redis.keys("sio:*") == []
        assert await a.adapter.restore("pid", "1-1") is None
