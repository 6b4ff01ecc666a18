"""Broadcasts, joins, leaves and disconnections: every process has them in the order of the stream."""

import asyncio

from redis.asyncio import Redis

from tests.integration.redis_streams.cluster import process
from tests.integration.redis_streams.namespaces import RecordingNamespace
from tests.integration.redis_streams.proxy import proxy_to
from tests.integration.redis_streams.waiting import until
from tiebreak.socket_adapter.socket_io.adapter import BroadcastOptions

ALL = BroadcastOptions()


async def test_one_order_everywhere(each_redis_url):
    """Three processes emit at once: each delivers the same messages in the same order, its own among them."""
    async with process(each_redis_url) as a, process(each_redis_url) as b, process(each_redis_url) as c:
        processes = [a, b, c]
        await asyncio.gather(
            *(sender.adapter.broadcast(["news", at, n], ALL) for n in range(100) for at, sender in enumerate(processes))
        )
        for each in processes:
            await until(lambda each=each: len(each.happened) == 300)
        assert a.happened == b.happened == c.happened
        # In the order of the calls of each, with offsets that grow.
        for at in range(3):
            assert [n for _, who, n, _ in a.happened if who == at] == list(range(100))
        stamps = [tuple(map(int, offset.split("-"))) for offset in a.here.offsets]
        assert len(stamps) == 300
        assert stamps == sorted(stamps)


async def test_a_join_has_its_place_among_the_messages(redis_url):
    """Who joins between two messages gets the second only, and awaiting the join is enough to know that."""
    async with process(redis_url) as a, process(redis_url) as b:
        ours, theirs = a.here.socket("ours"), b.here.socket("theirs")
        room = BroadcastOptions(rooms=("room",))
        await asyncio.gather(
            a.adapter.broadcast(["before"], room),
            a.adapter.add_sockets(ALL, ["room"]),
            a.adapter.broadcast(["after"], room),
            a.adapter.remove_sockets(BroadcastOptions(except_=("nobody",)), ["room"]),
            a.adapter.broadcast(["too late"], room),
        )
        assert a.happened[1] == ["joined", "ours", "room"]
        assert a.happened[3] == ["left", "ours", "room"]
        await b.here.got(["too late"])
        await a.here.got(["too late"])
        assert [message[0] for message in ours.received] == [message[0] for message in theirs.received] == ["after"]
        await a.adapter.add_sockets(BroadcastOptions(rooms=("ours",)), ["one", "two"])
        assert ours.rooms == {"ours", "one", "two"}
        assert theirs.rooms == {"theirs"}
        await b.adapter.disconnect_sockets(BroadcastOptions(rooms=("one",)), True)
        await until(lambda: ["disconnected", "ours", True] in a.happened)
        assert "theirs" in b.here.sockets


async def test_local_goes_nowhere(redis_url):
    """With the flag `local`, everything is done here and at once."""
    local = BroadcastOptions(flags={"local": True})
    async with process(redis_url) as a, process(redis_url) as b:
        a.here.socket("ours")
        b.here.socket("theirs")
        await a.adapter.broadcast(["here only"], local)
        await a.adapter.add_sockets(local, ["room"])
        await a.adapter.remove_sockets(local, ["room"])
        assert [socket.id for socket in await a.adapter.fetch_sockets(local)] == ["ours"]
        await a.adapter.disconnect_sockets(local, False)
        assert a.happened == [
            ["here only"],
            ["joined", "ours", "room"],
            ["left", "ours", "room"],
            ["disconnected", "ours", False],
        ]
        await a.adapter.broadcast(["everywhere"], ALL)
        await b.here.got(["everywhere"])
        assert len(b.happened) == 1


async def test_options_arrive(redis_url):
    """Rooms, exceptions and flags; without recovery, and with `volatile`, no offset."""
    opts = BroadcastOptions(("a", "ä"), ("b",), {"volatile": True, "compress": False})
    async with process(redis_url) as a, process(redis_url, recovery_ms=0) as b:
        await a.adapter.broadcast(["one", {"text": "ä😀"}], opts)
        await a.adapter.broadcast(["two", b"\x00\xff", [b"deep"], 2**60, -1, 0.5, None], ALL)
        await b.here.got(["two", b"\x00\xff", [b"deep"], 2**60, -1, 0.5, None])
        await until(lambda: len(a.happened) == 2)
        assert a.here.opts == b.here.opts == [opts, ALL]
        assert b.happened[0] == a.happened[0] == ["one", {"text": "ä😀"}]
        assert a.happened[1] == [*b.happened[1], a.here.offsets[0]]


async def test_namespaces_keep_apart(redis_url):
    """Also one that is made while the process runs."""
    async with process(redis_url, namespaces=("/", "/admin")) as a, process(redis_url, namespaces=("/admin",)) as b:
        late = RecordingNamespace("/late")
        late.adapter = b.streams.adapter(late)
        await b.streams.until_counted()
        for namespace in (*a.namespaces, late):
            await namespace.adapter.broadcast([namespace.name], ALL)
        await b.here.got(["/admin"])
        await late.got(["/late"])
        assert [len(namespace.happened) for namespace in (*a.namespaces, b.here, late)] == [1, 1, 1, 1]
        assert await late.adapter.server_count() == 1
        assert await b.adapter.server_count() == 2


async def test_streams_by_namespace(redis_url):
    """Several streams: a namespace has one of them, never one of a negative number, from which we read all the same."""
    names = ("/", "/a", "/b", "/c", "/negative")
    options = {"stream_count": 4, "namespaces": names}
    async with (
        process(redis_url, **options) as a,
        process(redis_url, **options) as b,
        Redis.from_url(redis_url) as redis,
    ):
        for namespace in a.namespaces:
            await namespace.adapter.broadcast([namespace.name], ALL)
        for namespace in b.namespaces:
            await namespace.got([namespace.name])
            assert len(namespace.offsets) == 1
        assert {key for key in await redis.keys("*") if not key.startswith(b"{")} <= {
            b"socket.io-%d" % at for at in range(4)
        }
        stray = {
            "uid": "node",
            "nsp": "/a",
            "type": "3",
            "data": '{"opts":{"rooms":[]},"packet":{"type":2,"data":["s"]}}',
        }
        await redis.xadd("socket.io--3", stray)
        await b.namespaces[1].got(["s"])
        # It has no place in the order of offsets.
        assert b.namespaces[1].happened[-1] == ["s"]


async def test_redis_is_away(redis_url):
    """A message the stream does not take is delivered here, once, and without an offset; a join is done here too."""
    async with proxy_to(redis_url) as proxy:
        url = proxy.url
        async with process(url, patience_seconds=0.5) as a, process(redis_url) as b:
            ours = a.here.socket("ours")
            proxy.refusing = True
            proxy.cut()
            await asyncio.gather(a.adapter.broadcast(["alone"], ALL), a.adapter.add_sockets(ALL, ["room"]))
            assert a.happened == [["alone"], ["joined", "ours", "room"]]
            assert ours.rooms == {"ours", "room"}
            assert a.streams.counts.of["not_appended"] == 2
            proxy.refusing = False
            await b.adapter.broadcast(["back"], ALL)
            await a.here.got(["back"])
            await a.adapter.broadcast(["both"], ALL)
            await b.here.got(["both"])
            # The others hear of it late or not at all.
            assert [message[0] for message in b.happened if message[0] != "alone"][-2:] == ["back", "both"]
            await a.here.got(["both"])
            assert [message[0] for message in a.happened] == ["alone", "joined", "back", "both"]
            assert a.gaps == []


async def test_a_lost_reply_doubles_nothing(redis_url):
    """The connection breaks when Redis has appended and we do not know: everywhere each message comes once."""
    async with proxy_to(redis_url) as proxy, process(proxy.url) as a, process(redis_url) as b:
        for n in range(20):
            proxy.lose_reply_to(b"EVALSHA")
            await asyncio.gather(a.adapter.broadcast(["n", n], ALL), a.adapter.broadcast(["m", n], ALL))
            assert proxy.has_lost
        await a.adapter.broadcast(["last"], ALL)
        await b.here.got(["last"])
        await a.here.got(["last"])
        expected = [[name, n] for n in range(20) for name in "nm"] + [["last"]]
        assert b.here.without_offsets == a.here.without_offsets == expected


async def test_given_up_but_appended(redis_url):
    """Redis appended it, we heard of that too late and had delivered it here by then: it is not delivered again."""
    async with proxy_to(redis_url) as proxy, process(proxy.url, patience_seconds=0.3) as a, process(redis_url) as b:
        await a.adapter.broadcast(["first"], ALL)
        await a.here.got(["first"])
        proxy.flowing.clear()
        await a.adapter.broadcast(["slow"], ALL)
        assert a.happened[1:] == [["slow"]]
        await b.here.got(["slow"])
        proxy.flowing.set()
        await a.adapter.broadcast(["last"], ALL)
        await a.here.got(["last"])
        assert [message[0] for message in a.happened] == ["first", "slow", "last"]
        await b.here.got(["last"])
        assert [message[0] for message in b.happened] == ["first", "slow", "last"]
