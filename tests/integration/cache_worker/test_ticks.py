"""When rooms are told of their boards, and when offsets are committed."""

import pytest
from structlog.testing import capture_logs

from tests.integration.cache_worker.projector import Projector, new_sessions, projector
from tiebreak.cache.keys import board_keys
from tiebreak.quiz.model import QuizSessionId
from tiebreak.redis_client import ResponseError
from tiebreak.socket_adapter.redis_streams.stream_names import STREAM


async def test_the_first_answer_is_told_at_once(redis_url):
    """After a quiet time nobody waits for a tick; and then its offset is committed."""
    async with projector(redis_url) as it:
        [session] = new_sessions(1)
        for version in (1, 2):
            await it.answered(session)
            assert (await it.told(session))[-1] == version
            assert await it.uncommitted() == 0
            it.clock.advance(seconds=0.1)


async def test_a_room_is_told_once_in_an_interval(redis_url):
    """Whatever comes meanwhile: then it is sent the latest board, once."""
    async with projector(redis_url) as it:
        [session] = new_sessions(1)
        for _ in range(5):
            await it.answered(session)
        await it.step(seconds=0.05)
        assert await it.told(session) == [1]
        await it.step(seconds=0.05)
        assert await it.told(session) == [1, 5]
        await it.step(seconds=1)
        assert await it.told(session) == [1, 5]


async def test_a_large_room_is_told_less_often(redis_url):
    """5,000 on the board: every 0.3 s."""
    async with projector(redis_url) as it:
        [session] = new_sessions(1)
        await it.publish(session, 5_000)
        for _ in range(5):
            await it.step()
        await it.step(seconds=0.1)
        assert await it.told(session) == [1, 5]
        await it.answered(session)
        await it.step(seconds=0.25)
        assert await it.told(session) == [1, 5]
        await it.step(seconds=0.051)
        assert await it.told(session) == [1, 5, 6]


async def test_rooms_do_not_wait_for_each_other(redis_url):
    """Many sessions in one poll are all told in the same step, each its own board."""
    async with projector(redis_url) as it:
        resting, *quiet = new_sessions(30)
        await it.answered(resting)
        for session in (resting, *quiet):
            await it.publish(session)
        await it.step()
        assert [await it.told(session) for session in (resting, *quiet)] == [[1]] * 30
        await it.step(seconds=0.1)
        assert await it.told(resting) == [1, 2]


async def test_an_offset_waits_for_its_room(redis_url):
    """On the board and not told yet: whoever takes over is given the answer again. Told: nobody is."""
    async with projector(redis_url) as it:
        [session] = new_sessions(1)
        await it.answered(session)
        await it.answered(session)
        for _ in range(2):
            assert (await it.told(session), await it.uncommitted()) == ([1], 1)
            await it.step(seconds=0.03)
        await it.step(seconds=0.05)
        assert (await it.told(session), await it.uncommitted()) == ([1, 2], 0)


async def test_what_was_not_told_is_not_committed(redis_url):
    """The socket servers' stream takes nothing: the room is told, and the offset committed, when it does again."""
    async with projector(redis_url) as it:
        [session] = new_sessions(1)
        await it.redis.set(STREAM, "takes no messages")
        with pytest.raises(ResponseError):
            await it.answered(session)
        assert await it.uncommitted() == 1
        await it.redis.delete(STREAM)
        await it.step()
        assert (await it.told(session), await it.uncommitted()) == ([1], 0)


async def test_a_busy_bus_starves_nobody(redis_url):
    """There are always more records, and always a room that waits: all are told, and offsets committed soon."""
    async with projector(redis_url) as it:
        first, second = new_sessions(2)
        for number in range(50):
            await it.publish(first, 30)
            # Their ticks fall on different moments.
            if number >= 2:
                await it.publish(second)
            await it.step(seconds=0.02)
        # A second is ten ticks; at most those of two of them are uncommitted.
        for session in (first, second):
            assert 9 <= len(await it.told(session)) <= 11
        assert await it.uncommitted() <= 2 * 5 * 31


async def test_a_late_worker_tells_less_often(redis_url):
    """It asks the bus for a moment and gets on much later; back in time, its rooms are told as before."""
    async with projector(redis_url) as it:
        [session] = new_sessions(1)
        await it.answered(session)
        await it.answered(session)
        poll = it.projection._consumer.poll

        async def late(**kwargs):
            records = await poll(**kwargs)
            it.clock.advance(seconds=0.2)
            return records

        it.projection._consumer.poll = late
        await it.step()
        it.projection._consumer.poll = poll
        assert await it.told(session) == [1, 2]
        await back_in_time(it, session, late_seconds=0.1)


@pytest.mark.parametrize("part", ["_leaderboards.apply", "_leaderboards.tops", "_emitter.emit"])
async def test_a_slow_worker_tells_less_often(redis_url, monkeypatch, part):
    """Whatever it is that takes long: the boards, reading them, or the way to the rooms."""
    async with projector(redis_url) as it:
        [session] = new_sessions(1)
        await it.answered(session)
        owner, name = part.split(".")
        work = getattr(getattr(it.projection, owner), name)

        async def slow(argument):
            it.clock.advance(seconds=0.2)
            return await work(argument)

        it.clock.advance(seconds=0.1)
        with monkeypatch.context() as patch:
            patch.setattr(getattr(it.projection, owner), name, slow)
            await it.answered(session)
        assert await it.told(session) == [1, 2]
        # What takes long before the room's turn comes is no part of its rest.
        rested_seconds = 0.0 if name == "apply" else 0.2
        await back_in_time(it, session, late_seconds=0.2, rested_seconds=rested_seconds)


async def back_in_time(
    it: Projector, session: QuizSessionId, *, late_seconds: float, rested_seconds: float = 0.0
) -> None:
    """A room that was told so late rests for four times as long, and after that as always."""
    told = await it.told(session)
    await it.answered(session)
    await it.step(seconds=4 * late_seconds - rested_seconds - 0.01)
    assert await it.told(session) == told
    await it.step(seconds=0.011)
    assert await it.told(session) == [*told, told[-1] + 1]
    await it.answered(session)
    await it.step(seconds=0.1)
    assert await it.told(session) == [*told, told[-1] + 1, told[-1] + 2]


async def test_a_worker_that_is_stopped_leaves_nothing_behind(redis_url):
    """A room that rests is told before it goes, and all is committed: nobody waits for the next worker."""
    async with projector(redis_url) as it:
        [session] = new_sessions(1)
        await it.answered(session)
        await it.answered(session)
        assert (await it.told(session), await it.uncommitted()) == ([1], 1)
        await it.stopped()
        assert (await it.told(session), await it.uncommitted()) == ([1, 2], 0)


async def test_a_worker_that_cannot_tell_stops_all_the_same(redis_url):
    """What it could not tell is not committed: the next one is given it again."""
    async with projector(redis_url) as it:
        [session] = new_sessions(1)
        await it.answered(session)
        await it.answered(session)
        await it.redis.delete(STREAM)
        await it.redis.set(STREAM, "takes no messages")
        with capture_logs() as logs:
            await it.stopped()
        assert [it["event"] for it in logs] == ["projection.left_to_the_next"]
        assert await it.uncommitted() == 1


async def test_a_board_that_cannot_be_read_holds_up_nobody(redis_url):
    """It broke between its batch and its tick: the other room is told, and all is committed."""
    async with projector(redis_url) as it:
        broken, sound = new_sessions(2)
        for _ in range(2):
            await it.publish(broken)
            await it.publish(sound)
            await it.step()
        board = board_keys(broken)[0]
        await it.redis.delete(board)
        await it.redis.set(board, "no sorted set")
        await it.step(seconds=0.1)
        assert (await it.told(sound), await it.told(broken)) == ([1, 2], [1])
        assert await it.uncommitted() == 0
