"""Who looks after boards, and when."""

import asyncio
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from tests.scene import Scene
from tiebreak.boards.audit import Auditor
from tiebreak.boards.care import BoardCare
from tiebreak.cache.incarnation import Incarnations
from tiebreak.cache.keys import INCARNATION, WANTED, board_keys, turn_key
from tiebreak.cache.turns import Turns
from tiebreak.cache.wanted_boards import WantedBoards
from tiebreak.database.answers import ledger
from tiebreak.database.quiz_sessions import finish_session
from tiebreak.metrics import BoardMetrics
from tiebreak.quiz.ranking import MS_SPAN


@dataclass
class Hurried:
    """A clock on which waiting takes no time."""

    seconds: float = 0.0
    on_sleep: list = field(default_factory=list)

    def now_ms(self) -> int:
        return round(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        if self.on_sleep:
            await self.on_sleep.pop(0)()


@pytest.fixture
def clock() -> Hurried:
    return Hurried()


@pytest.fixture
def care(stage, clock) -> BoardCare:
    return BoardCare(
        stage.pool,
        stage.rebuilder,
        Auditor(stage.pool, stage.leaderboards, clock),
        WantedBoards(stage.redis),
        Incarnations(stage.redis),
        Turns(stage.redis),
        clock,
        BoardMetrics(CollectorRegistry()),
        audit_seconds=300,
    )


async def test_a_wanted_board_is_built(stage, care):
    """It was asked for by a cache worker; afterwards nobody wants it."""
    await stage.answer(0)
    await stage.redis.flushall()
    await WantedBoards(stage.redis).add([stage.scene.session_id])
    await care.build()
    assert await stage.board_is_ledger()
    assert await stage.redis.exists(WANTED) == 0


async def test_whoever_built_it_died_before_it_was_shown(stage, care):
    """The board is whole, and the room has not heard of it: whoever takes up the request tells."""
    await stage.answer(0)
    begun = await stage.leaderboards.begin(stage.scene.session_id, anew=True)
    answers = await ledger(stage.pool, stage.scene.session_id)
    await stage.leaderboards.fill(stage.scene.session_id, begun.epoch, answers, last=True)
    await WantedBoards(stage.redis).add([stage.scene.session_id])
    await care.build()
    [told] = await stage.told()
    assert told["epoch"] == begun.epoch


async def test_an_audit_asks_for_boards_that_are_missing(stage, care):
    """Their request was lost with the key it was in."""
    await stage.answer(0)
    await stage.redis.delete(*board_keys(stage.scene.session_id))
    await care.audit()
    await care.build()
    assert await stage.board_is_ledger()


async def test_sessions_left_open_long_ago(stage, care):
    """Nobody looks after the board of a session that nobody ended, a week after it was opened."""
    await stage.pool.execute("UPDATE quiz_sessions SET opened_at = now() - interval '8 days'")
    await care.watch()
    assert await stage.redis.exists(WANTED) == 0


async def test_whoever_builds_it_dies(stage, care):
    """Its request is anybody's again after a while; until then it is left to whoever took it."""
    await stage.answer(0)
    await stage.redis.flushall()
    wanted = WantedBoards(stage.redis)
    await wanted.add([stage.scene.session_id])
    [claim] = await wanted.take(1)
    assert await wanted.take(1) == []
    await stage.redis.zincrby(WANTED, -10_000, str(stage.scene.session_id))
    await care.build()
    assert await stage.board_is_ledger()
    # The dead one was only slow.
    await wanted.done(claim)
    assert await stage.redis.exists(WANTED) == 0


async def test_lost_again_while_it_is_built(stage):
    """Asked for a second time meanwhile, it stays wanted."""
    wanted = WantedBoards(stage.redis)
    await wanted.add([stage.scene.session_id])
    [claim] = await wanted.take(1)
    await wanted.add([stage.scene.session_id])
    await wanted.done(claim)
    assert [it.quiz_session_id for it in await wanted.take(1)] == [stage.scene.session_id]


async def test_another_redis_has_every_board_looked_after(stage, care):
    """Emptied: noticed though nobody answers and nobody reads. A Redis that stays the same is left alone."""
    await stage.answer(0)
    await care.watch()
    await care.build()
    for _ in range(2):
        await care.watch()
        assert await stage.redis.exists(WANTED) == 0
    await stage.redis.flushall()
    await care.watch()
    await care.build()
    assert await stage.board_is_ledger()


async def test_the_latest_sessions_come_first(stage, care):
    """A session somebody left open weeks ago does not hold up tonight's quiz; a finished one waits for a reader."""
    scenes = [stage.scene, *[await Scene.set(stage.pool) for _ in range(4)]]
    await finish_session(stage.pool, scenes[3].session_id)
    await care.watch()
    wanted = WantedBoards(stage.redis)
    taken = []
    async with asyncio.timeout(20):
        while len(taken) < 4:
            taken += [it.quiz_session_id for it in await wanted.take(1)]
    assert taken == [scenes[at].session_id for at in (4, 2, 1, 0)]


async def test_what_holds_the_marks_of_another_life_is_another_redis(stage):
    """Started again, or a replica that took over: it has the mark, and not its own."""
    incarnations = Incarnations(stage.redis)
    first = await incarnations.current()
    assert (await incarnations.current()).id == first.id
    await stage.redis.hset(INCARNATION, "life", "another")
    second = await incarnations.current()
    assert second.id != first.id
    assert second.since_ms >= first.since_ms


@pytest.mark.parametrize("what", ["points", "time", "name", "missing", "too many"])
async def test_an_audit_finds_and_mends(stage, care, what):
    """Whatever differs from the ledger, however it came about, is found, told, and built anew."""
    await stage.apply(await stage.answer(0))
    board, _, names, _ = board_keys(stage.scene.session_id)
    [first, *_] = await stage.redis.zrange(board, 0, -1)
    match what:
        case "points":
            await stage.redis.zincrby(board, MS_SPAN, first)
        case "time":
            await stage.redis.zincrby(board, 1, first)
        case "name":
            await stage.redis.hset(names, first, "Nobody")
        case "missing":
            await stage.redis.zrem(board, first)
            await stage.redis.hdel(names, first)
        case "too many":
            await stage.redis.zadd(board, {str(stage.scene.host_id): 1})
            await stage.redis.hset(names, str(stage.scene.host_id), "Host")
    before = await stage.shown()
    with capture_logs() as logs:
        await care.audit()
    [differed] = [it for it in logs if it["event"] == "board.differed"]
    assert differed["participants"] == 1
    assert await stage.board_is_ledger()
    assert (await stage.shown()).epoch != before.epoch


async def test_answers_on_their_way_are_no_difference(stage, care, clock):
    """They reach the board a little later; a board that lags is not built anew."""
    await stage.apply(await stage.answer(0))
    late = await stage.answer(1)
    clock.on_sleep.append(lambda: stage.apply(late))
    before = await stage.shown()
    with capture_logs() as logs:
        await care.audit()
    assert [it["event"] for it in logs] == ["boards.audited"]
    assert (await stage.shown()).epoch == before.epoch


@pytest.mark.parametrize(("age_seconds", "pause_seconds"), [(59, 5), (3_600, 300)])
async def test_a_young_redis_is_audited_more_often(stage, care, age_seconds, pause_seconds):
    """Who still wrote to the one before may have done so after the boards were built on this one."""
    incarnation = await Incarnations(stage.redis).current()
    await stage.redis.hset(INCARNATION, "since_ms", str(incarnation.now_ms - age_seconds * 1000))
    await care.audit()
    assert pause_seconds - 1 <= await stage.redis.ttl(turn_key("audit")) <= pause_seconds


async def test_one_of_many_audits(stage, care):
    """App servers take turns."""
    await asyncio.gather(*(care.audit() for _ in range(4)))
    with capture_logs() as logs:
        await care.audit()
    assert logs == []
