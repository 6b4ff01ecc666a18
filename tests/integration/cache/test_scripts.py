"""Scripts that Redis does not know, or knows no more."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from tests.integration.cache.boards import opened_leaderboards
from tests.integration.cache.test_leaderboard import change, opened
from tests.redis_link import Link, redis_link
from tiebreak.cache.keys import board_keys
from tiebreak.cache.leaderboard import Applied, Unapplied
from tiebreak.ids import new_id
from tiebreak.redis_client import Redis


async def script_calls(redis: Redis) -> dict[str, int]:
    """How often scripts were called by digest and by text, and how often Redis was asked about scripts."""
    statistics = await redis.info("commandstats")
    return {name: statistics.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("evalsha", "eval", "script")}


async def test_a_known_script_is_one_call(redis_url):
    """Its text is sent once; then each board is one call by digest, with no question before."""
    async with opened_leaderboards(redis_url) as (boards, redis):
        await redis.script_flush()
        await redis.config_resetstat()
        sessions = [new_id() for _ in range(3)]
        for _ in range(4):
            await boards.apply({session: [change(session, new_id())] for session in sessions})
        calls = await script_calls(redis)
        assert (calls["eval"], calls["script"]) == (3, 0)
        assert calls["evalsha"] >= 9


async def test_forgotten_scripts_are_sent_again(redis_url):
    """An application and a reading after Redis was told to forget all scripts."""
    async with opened_leaderboards(redis_url) as (boards, redis):
        session = await opened(boards)
        for version in (1, 2):
            await redis.script_flush()
            assert (await boards.apply({session: [change(session, new_id())]}))[session].version == version
            await redis.script_flush()
            board = await boards.read(session)
            assert board
            assert board.participants == version
            await redis.script_flush()
            tops = await boards.tops([session])
            assert tops == {session: board}


async def test_scripts_forgotten_in_the_middle(redis_url):
    """Redis forgets them after the first of three batches: each is applied once, and says so."""
    async with opened_leaderboards(redis_url) as (_, redis), forgetting(redis_url) as url:
        await redis.script_flush()
        async with opened_leaderboards(url) as (boards, _):
            known = await opened(boards)
            await boards.apply({known: [change(known, new_id())]})
            sessions = [await opened(boards) for _ in range(3)]
            applied = await boards.apply({session: [change(session, new_id())] for session in sessions})
            assert [(it.version, it.new) for it in applied.values() if isinstance(it, Applied)] == [(1, 1)] * 3
            assert [board.participants for board in (await boards.tops(sessions)).values() if board] == [1] * 3


async def test_one_error_is_one_boards_own(redis_url):
    """Among batches that are sent again, one board that is none is the only one that fails."""
    async with opened_leaderboards(redis_url) as (boards, redis):
        good, broken, none = await opened(boards), new_id(), new_id()
        await redis.set(board_keys(broken)[0], "no sorted set")
        for _ in range(2):
            applied = await boards.apply({it: [change(it, new_id())] for it in (broken, good)})
            assert isinstance(applied[broken], Unapplied)
            assert applied[broken].reason.startswith("WRONGTYPE")
            assert isinstance(applied[good], Applied)
        # It broke after it had been a board.
        _, _, _, meta = board_keys(good)
        await redis.hset(board_keys(broken)[3], mapping=await redis.hgetall(meta) | {"answers": 0})
        for _ in range(2):
            tops = await boards.tops([broken, good, none])
            assert (tops[broken], tops[none]) == (None, None)
            assert tops[good]
            assert tops[good].participants == 2
            await redis.script_flush()


@asynccontextmanager
async def forgetting(redis_url: str) -> AsyncIterator[str]:
    """A way to Redis where scripts are forgotten between the first and the second call of each pipeline."""

    def ways(link: Link) -> tuple[Awaitable[None], Awaitable[None]]:
        replied = asyncio.Event()

        async def ask() -> None:
            while data := await link.asked():
                first = data.find(b"EVALSHA")
                second = data.find(b"EVALSHA", first + 1)
                if second > 0:
                    start = data.rfind(b"*", 0, second)
                    replied.clear()
                    link.ask(data[:start])
                    await replied.wait()
                    async with Redis.from_url(redis_url) as redis:
                        await redis.script_flush()
                    data = data[start:]
                link.ask(data)

        async def reply() -> None:
            while data := await link.replied():
                replied.set()
                link.reply(data)

        return ask(), reply()

    async with redis_link(redis_url, ways) as url:
        yield url
