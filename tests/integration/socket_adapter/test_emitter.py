"""The emitter by itself: what stands in the stream after a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec

from tests.redis_link import Link, redis_link
from tiebreak.ids import new_id
from tiebreak.quiz.model import QuizSessionId
from tiebreak.redis_client import Redis, open_redis
from tiebreak.socket_adapter.emitter import Emitter
from tiebreak.socket_adapter.messages import SessionUpdate
from tiebreak.socket_adapter.redis_streams.stream_names import STREAM


def updates(count: int) -> list[tuple[QuizSessionId, SessionUpdate]]:
    session = QuizSessionId(UUID(str(new_id())))
    return [(session, SessionUpdate(session, "open", at)) for at in range(count)]


async def counts_in_stream(redis: Redis) -> list[int]:
    """The participant counts of the messages in the stream."""
    entries = await redis.xrange(STREAM)
    return [msgspec.json.decode(fields[b"data"])["packet"]["data"][1]["participant_count"] for _, fields in entries]


async def test_messages_in_order(each_redis_url):
    """One call appends its messages in order, and the next call's come after them."""
    redis = await open_redis(each_redis_url)
    emitter = Emitter(redis)
    await emitter.emit([])
    assert not await redis.exists(STREAM)
    messages = updates(300)
    await emitter.emit(messages[:200])
    await emitter.emit(messages[200:])
    assert await counts_in_stream(redis) == list(range(300))
    [(_, fields)] = await redis.xrange(STREAM, count=1)
    assert {name: value for name, value in fields.items() if name in {b"nsp", b"type"}} == {b"nsp": b"/", b"type": b"3"}
    await redis.aclose()


async def test_a_lost_reply_repeats_nothing(each_redis_url):
    """The connection breaks when Redis has carried out a call and we do not know: tried again, it doubles nothing."""
    async with losing_replies(each_redis_url) as (url, lost):
        redis = await open_redis(url)
        emitter = Emitter(redis)
        messages = updates(30)
        for at in range(0, 30, 10):
            lost.clear()
            await emitter.emit(messages[at : at + 10])
            assert lost.is_set()
        await redis.aclose()
    redis = await open_redis(each_redis_url)
    assert await counts_in_stream(redis) == list(range(30))
    # What remembers the calls is gone soon.
    for key in await redis.keys("*"):
        assert key == STREAM.encode() or 0 < await redis.ttl(key) <= 60
    await redis.aclose()


async def test_the_stream_stays_short(each_redis_url):
    """It keeps about the last 10,000 messages, however many there were."""
    redis = await open_redis(each_redis_url)
    emitter = Emitter(redis)
    for _ in range(15):
        await emitter.emit(updates(1_000))
    assert 10_000 <= await redis.xlen(STREAM) <= 10_300
    await redis.aclose()


@asynccontextmanager
async def losing_replies(redis_url: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A way to Redis that breaks once, at the first reply to a call of the emitter, each time `lost` is clear.

    Redis has carried out the call by then.
    """
    lost = asyncio.Event()

    def ways(link: Link) -> tuple[Awaitable[None], Awaitable[None]]:
        emits = asyncio.Event()

        async def ask() -> None:
            while data := await link.asked():
                if b"participant_count" in data:
                    emits.set()
                link.ask(data)

        async def reply() -> None:
            while data := await link.replied():
                # NOSCRIPT is no reply to lose: nothing was carried out.
                if emits.is_set() and not lost.is_set() and not data.startswith(b"-"):
                    lost.set()
                    return
                link.reply(data)

        return ask(), reply()

    async with redis_link(redis_url, ways) as url:
        yield url, lost
