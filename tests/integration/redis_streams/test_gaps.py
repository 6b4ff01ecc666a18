"""Entries that are gone before we read them: we say so, and read on."""

import asyncio

import pytest
from redis.asyncio import Redis

from tests.integration.redis_streams.cluster import process
from tests.integration.redis_streams.proxy import proxy_to
from tests.integration.redis_streams.waiting import until
from tiebreak.socket_adapter.redis_streams.stream_ids import NOTHING, Gap, StreamState, gap_after
from tiebreak.socket_adapter.socket_io.adapter import BroadcastOptions

ALL = BroadcastOptions()
STREAM = "socket.io"


@pytest.mark.parametrize(
    ("position", "state", "gap"),
    [
        (NOTHING, None, None),
        ("5-1", None, Gap("emptied", NOTHING)),
        ("5-1", StreamState("5-1", "3-0", 3, 3), None),
        ("5-1", StreamState("9-0", "5-1", 9, 4), None),
        ("5-1", StreamState("9-0", "5-2", 9, 4), Gap("trimmed", "5-1")),
        ("5-1", StreamState("10-0", "10-0", 9, 1), Gap("trimmed", "5-1")),
        ("10-1", StreamState("9-9", "1-0", 9, 9), Gap("younger", "9-9")),
        ("5-1", StreamState("5-0", None, 9, 0), Gap("younger", "5-0")),
        ("5-1", StreamState("5-1", None, 9, 0), None),
        ("5-1", StreamState("6-0", None, 9, 0), Gap("trimmed", "6-0")),
        (NOTHING, StreamState("9-0", "5-0", 3, 3), None),
        (NOTHING, StreamState("9-0", "5-0", 4, 3), Gap("trimmed", NOTHING)),
        # Redis older than 7 does not count.
        (NOTHING, StreamState("9-0", "5-0", None, 3), None),
    ],
)
def test_what_is_missing(position, state, gap):
    """From where we are and what is there."""
    assert gap_after(position, state) == gap


async def test_cut_connections_lose_nothing(each_redis_url):
    """All connections are cut again and again while messages come: each arrives once, in order."""
    async with proxy_to(each_redis_url) as proxy, process(proxy.url) as a, process(each_redis_url) as b:
        for n in range(400):
            await b.adapter.broadcast(["n", n], ALL)
            if n % 100 == 50:
                proxy.cut()
        await a.here.got(["n", 399])
        assert a.happened == b.happened
        assert a.gaps == b.gaps == []


async def test_trimmed_while_we_were_away(each_redis_url):
    """Messages went through the stream and out of it: we call on_gap before the next is delivered."""
    async with (
        proxy_to(each_redis_url) as proxy,
        process(proxy.url, max_length=400) as a,
        process(each_redis_url) as b,
        Redis.from_url(each_redis_url) as redis,
    ):
        await b.adapter.broadcast(["seen"], ALL)
        await a.here.got(["seen"])
        proxy.refusing = True
        proxy.cut()
        await asyncio.gather(*(b.adapter.broadcast(["missed", n], ALL) for n in range(150)))
        await b.here.got(["missed", 149])
        await redis.xtrim(STREAM, maxlen=100, approximate=False)
        proxy.refusing = False
        await until(lambda: a.gaps)
        assert [message[0] for message in a.gaps[0]] == ["seen"]
        await a.here.got(["missed", 149])
        assert [message[:-1] for message in a.happened] == [["seen"], *(["missed", n] for n in range(50, 150))]
        assert len(a.gaps) == a.streams.counts.of["gaps"] == 1
        assert b.gaps == []


@pytest.mark.parametrize("refilled", [False, True])
async def test_emptied(redis_url, refilled):
    """Redis lost all it had, and may have begun anew with ids before ours: we notice and read on."""
    async with process(redis_url) as a, Redis.from_url(redis_url) as redis:
        await a.adapter.broadcast(["seen"], ALL)
        await a.here.got(["seen"])
        await redis.flushall()
        entry = {
            "uid": "x",
            "nsp": "/",
            "type": "3",
            "data": '{"opts":{"rooms":[]},"packet":{"type":2,"data":["new"]}}',
        }
        if refilled:
            await redis.xadd(STREAM, entry, id="1-1")
        await until(lambda: a.gaps)
        if refilled:
            await redis.xadd(STREAM, entry, id="1-2")
        else:
            await a.adapter.broadcast(["new"], ALL)
        await a.here.got(["new"])
        assert [message[0] for message in a.happened] == ["seen", "new"]
        assert len(a.gaps) == 1


async def test_a_reader_that_falls_behind(redis_url):
    """While a process has too much to write, entries wait in the stream; if they are trimmed there, it says so."""
    async with process(redis_url) as a, process(redis_url) as b, Redis.from_url(redis_url) as redis:
        a.here.is_behind = True
        await b.adapter.broadcast(["n", 0], ALL)
        await a.here.got(["n", 0])
        await asyncio.gather(*(b.adapter.broadcast(["n", n], ALL) for n in range(1, 3_000)))
        await b.here.got(["n", 2_999])
        assert len(a.happened) < 1_000
        await redis.xtrim(STREAM, maxlen=1_000, approximate=False)
        a.here.is_behind = False
        await a.here.got(["n", 2_999])
        assert len(a.gaps) == 1
        numbers = [n for _, n, _ in a.happened]
        assert numbers == sorted(set(numbers))
        await b.here.got(["n", 2_999])
        assert len(b.happened) == 3_000


async def test_a_broken_on_gap_breaks_nothing(redis_url):
    """It is counted, and the next entry is read."""

    def broken():
        raise RuntimeError("no")

    async with process(redis_url) as a, Redis.from_url(redis_url) as redis:
        a.streams._on_gap = broken
        await a.adapter.broadcast(["seen"], ALL)
        await a.here.got(["seen"])
        await redis.flushall()
        await until(lambda: a.streams.counts.of["failed"])
        await a.adapter.broadcast(["new"], ALL)
        await a.here.got(["new"])
