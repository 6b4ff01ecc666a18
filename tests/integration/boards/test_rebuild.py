"""A board that Redis lost comes back from the ledger, and is shown to nobody before it is whole."""

import asyncio
from itertools import combinations

import pytest

from tests.contract.buses import MortalValkey
from tests.integration.boards.stage import Stage
from tests.integration.cache.boards import open_board
from tests.scene import opened_pool
from tests.servers import folder
from tiebreak.boards import rebuild
from tiebreak.cache.keys import KEPT_SECONDS, board_keys
from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.database.quiz_sessions import finish_session
from tiebreak.errors import BoardLost
from tiebreak.ids import new_id
from tiebreak.redis_client import open_redis


async def test_an_emptied_redis(stage):
    """The next answers begin a partial board, which nobody sees; the rebuilt one equals the ledger, in a new epoch."""
    await stage.apply(await stage.answer(0))
    before = await stage.shown()
    await stage.redis.flushall()
    changes = await stage.answer(1)
    assert not (await stage.apply(changes)).whole
    assert await stage.shown() is None
    assert await stage.leaderboards.standings(stage.scene.session_id) is None
    assert await stage.leaderboards.tops([stage.scene.session_id]) == {stage.scene.session_id: None}
    assert await stage.make_whole()
    assert await stage.board_is_ledger()
    assert (await stage.shown()).epoch != before.epoch
    assert (await stage.apply(changes)).new == 0


@pytest.mark.parametrize(
    "parts",
    [it for count in (1, 2, 3) for it in combinations(("board", "answers", "names", "meta"), count)],
    ids="+".join,
)
async def test_parts_of_a_board_are_gone(stage, parts):
    """Evicted, or deleted: without its answers a board would count them twice, so none of it is trusted."""
    changes = await stage.answer(0)
    await stage.apply(changes)
    keys = dict(zip(("board", "answers", "names", "meta"), board_keys(stage.scene.session_id), strict=True))
    await stage.redis.delete(*(keys[part] for part in parts))
    assert await stage.shown() is None
    assert not (await stage.apply(changes)).whole
    await stage.make_whole()
    assert await stage.board_is_ledger()


async def test_one_answer_is_forgotten(stage):
    """A single member gone from the record of answers is noticed."""
    changes = await stage.answer(0)
    await stage.apply(changes)
    _, answers, _, _ = board_keys(stage.scene.session_id)
    await stage.redis.srem(answers, str(changes[0].participant_answer_id))
    assert not (await stage.apply(changes)).whole
    await stage.make_whole()
    assert await stage.board_is_ledger()


async def test_redis_forgets_its_last_second(database_url):
    """Killed, it comes back without the last answers: its boards are not trusted, though nothing on them is wrong."""
    with folder() as directory:
        server = MortalValkey(directory)
        await server.start()
        redis = await open_redis(server.address)
        async with opened_pool(database_url) as pool:
            try:
                stage = await Stage.set(pool, redis)
                await stage.apply(await stage.answer(0))
                before = await stage.shown()
                await server.kill()
                await server.start()
                # What is answered now is in the ledger; that it was put on the board, Redis has forgotten.
                await stage.answer(1)
                assert await stage.shown() is None
                assert await stage.make_whole()
                assert await stage.board_is_ledger()
                assert (await stage.shown()).epoch != before.epoch
            finally:
                await redis.aclose()
                await server.stop()


async def test_a_master_that_was_a_replica_meanwhile():
    """Another one was the master for a while: what this one has of that time, it was sent, whole or not."""
    with folder() as directory:
        server = MortalValkey(directory)
        await server.start()
        redis = await open_redis(server.address)
        try:
            leaderboards, session = Leaderboards(redis), new_id()
            await open_board(leaderboards, session)
            assert await leaderboards.read(session)
            await redis.replicaof("127.0.0.1", 1)
            await redis.replicaof("NO", "ONE")
            assert await leaderboards.read(session) is None
        finally:
            await redis.aclose()
            await server.stop()


async def test_an_answer_just_before_it_begins(stage):
    """It came over the bus to the board that is given up: the ledger that is read later has it."""
    await stage.answer(0)
    begin = stage.leaderboards.begin

    async def begun_late(*args, **how):
        await stage.apply(await stage.answer(1))
        return await begin(*args, **how)

    stage.rebuilder._leaderboards.begin = begun_late
    assert await stage.make_whole(anew=True)
    assert await stage.board_is_ledger()


async def test_answers_come_while_it_is_built(stage):
    """By the ledger, by the bus, or both: each counts once."""
    await stage.answer(0)
    begun = await stage.leaderboards.begin(stage.scene.session_id, anew=True)
    in_both = await stage.answer(1)
    await stage.apply(in_both)
    read = await rebuild.ledger(stage.pool, stage.scene.session_id)
    await stage.apply(await stage.answer(2))
    session_id = stage.scene.session_id
    assert await stage.leaderboards.fill(session_id, begun.epoch, read[:1], last=False)
    assert await stage.shown() is None
    assert await stage.leaderboards.fill(session_id, begun.epoch, read[1:], last=True)
    assert await stage.board_is_ledger()


async def test_a_long_ledger_goes_there_in_parts(stage, monkeypatch):
    """And nobody sees the board before the last one."""
    monkeypatch.setattr(rebuild, "PART", 2)
    seen = []
    fill = stage.leaderboards.fill

    async def watched(*args, **how):
        seen.append(await stage.shown())
        return await fill(*args, **how)

    stage.rebuilder._leaderboards.fill = watched
    for question in range(3):
        await stage.answer(question)
    assert await stage.make_whole(anew=True)
    assert seen == [None] * 5
    assert await stage.board_is_ledger()


async def test_many_build_it_at_once(stage):
    """Several app servers, one of them by force: it is whole, and right."""
    for question in range(3):
        await stage.answer(question)
    await stage.redis.flushall()
    assert all(await asyncio.gather(*(stage.make_whole(anew=at == 3) for at in range(8))))
    assert await stage.board_is_ledger()


async def test_it_is_lost_again_meanwhile(stage, monkeypatch):
    """Redis is emptied between the parts of the ledger: from the beginning; and not for ever."""
    monkeypatch.setattr(rebuild, "PART", 2)
    for question in range(3):
        await stage.answer(question)
    fill = stage.leaderboards.fill
    times = 0

    async def emptied(*args, **how):
        nonlocal times
        if times:
            times -= 1
            await stage.redis.flushall()
        return await fill(*args, **how)

    stage.rebuilder._leaderboards.fill = emptied
    times = 1
    assert await stage.make_whole(anew=True)
    assert await stage.board_is_ledger()
    times = 100
    with pytest.raises(BoardLost):
        await stage.make_whole(anew=True)
    times = 0
    assert await stage.make_whole()


async def test_the_room_is_shown_the_new_board(stage):
    """Everybody in it has the board of an epoch that is no more."""
    await stage.answer(0)
    await stage.make_whole(anew=True)
    board = await stage.shown()
    [told] = await stage.told()
    assert (told["epoch"], told["version"], len(told["rows"])) == (board.epoch, board.version, 3)
    await stage.make_whole()
    assert len(await stage.told()) == 1


async def test_what_is_no_board_gives_way(stage):
    """A key of another type in its place: an audit finds no board there, and a rebuild makes one."""
    await stage.answer(0)
    board, *_ = board_keys(stage.scene.session_id)
    await stage.redis.delete(board)
    await stage.redis.set(board, "no sorted set")
    assert await stage.leaderboards.standings(stage.scene.session_id) is None
    await stage.make_whole()
    assert await stage.board_is_ledger()


async def test_a_finished_session(stage):
    """Its board is kept for a day from then on, as it would have been."""
    await stage.answer(0)
    await finish_session(stage.pool, stage.scene.session_id)
    await stage.make_whole(anew=True)
    ends = [await stage.redis.ttl(key) for key in board_keys(stage.scene.session_id)]
    assert all(0 < end <= KEPT_SECONDS for end in ends)


async def test_no_such_session(stage):
    """An event of a session that is not in the ledger leaves no board behind."""
    assert not await stage.rebuilder.make_whole(new_id())
    assert await stage.redis.keys("*:meta") == [board_keys(stage.scene.session_id)[3].encode()]


async def test_many_build_it_anew_at_once(stage):
    """As when a host removes a few players: none of them gives up, and the last ledger read is on the board."""
    await stage.answer(0)
    assert all(await asyncio.gather(*(stage.make_whole(anew=True) for _ in range(10))))
    assert await stage.board_is_ledger()


async def test_a_board_that_has_become_empty_is_shown(stage):
    """Else the room would go on seeing who was on it."""
    assert await stage.make_whole(anew=True)
    [board] = await stage.told()
    assert board["rows"] == []
