"""The simulated cache says what the Lua scripts say, on Valkey and on Redis."""

import asyncio
import time
from itertools import count
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulation.scripts import SCRIPTS
from simulation.servers import script_digests
from tests.integration.cache.boards import opened_leaderboards
from tests.simulation.direct import DirectCache
from tiebreak.cache import leaderboard
from tiebreak.cache.incarnation import Incarnations
from tiebreak.cache.keys import INCARNATION, board_keys
from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.cache.turns import Turns
from tiebreak.cache.wanted_boards import WantedBoards
from tiebreak.events import ScoreChange

OPENED_MS = 1_800_000_000_000
SESSIONS = [UUID(int=OPENED_MS << 80 | 7 << 76 | 2 << 62 | at) for at in range(2)]
PLAYERS = [UUID(int=100 + at) for at in range(4)]

sessions = st.sampled_from(SESSIONS)
changes = st.lists(
    st.builds(
        lambda session, answer, player, score, after_ms: ScoreChange(
            UUID(int=1_000 + answer),
            session,
            PLAYERS[player],
            f"Player {player} é",
            UUID(int=1),
            score,
            OPENED_MS + after_ms,
        ),
        sessions,
        st.integers(0, 11),
        st.integers(0, 3),
        st.sampled_from([0, 50, 100, 100, 10_000]),
        st.sampled_from([0, 1_000, 1_000, 1_001, 2**32 - 1, 2**32 + 5]),
    ),
    max_size=5,
)
operations = st.one_of(
    st.tuples(st.just("apply"), sessions, changes),
    st.tuples(st.just("begin"), sessions, st.booleans()),
    st.tuples(st.just("fill"), sessions, changes, st.booleans()),
    st.tuples(
        st.just("read"),
        sessions,
        st.integers(0, 3),
        st.integers(1, 4),
        st.sampled_from([None, *PLAYERS]),
        st.booleans(),
    ),
    st.tuples(st.just("standings"), sessions),
    st.tuples(st.just("expire"), sessions),
    st.tuples(st.just("drop"), sessions),
    st.tuples(st.just("key deleted"), sessions, st.integers(0, 3)),
    st.tuples(st.just("another run"), sessions),
    st.tuples(st.just("emptied")),
    st.tuples(st.just("wanted"), st.lists(sessions, max_size=2)),
    st.tuples(st.just("taken")),
    st.tuples(st.just("done")),
    st.tuples(st.just("turn"), st.booleans()),
    st.tuples(
        st.just("who"),
    ),
)


class Side:
    """A cache, and what is remembered of it between two operations."""

    def __init__(self, redis) -> None:
        self.redis = redis
        self.boards = Leaderboards(redis)
        self.wanted = WantedBoards(redis)
        self.epochs = {}
        self.claims = []
        self.incarnation = None

    async def carry_out(self, operation):
        """What it says, in words that both sides share."""
        match operation:
            case "apply", session, batch:
                [applied] = (await self.boards.apply({session: batch})).values()
                return epoch_of(applied)
            case "begin", session, anew:
                begun = await self.boards.begin(session, anew=anew)
                self.epochs[session] = begun.epoch
                return epoch_of(begun)
            case "fill", session, part, last:
                return await self.boards.fill(session, self.epochs.get(session, "none"), part, last=last)
            case "read", session, offset, limit, me, around:
                board = await self.boards.read(session, offset=offset, limit=limit, me=me, around_me=around)
                tops = await self.boards.tops(SESSIONS)
                return [it and epoch_of(it) for it in (board, *tops.values())]
            case "standings", session:
                return await self.boards.standings(session)
            case "expire", session:
                return await self.boards.expire(session)
            case "drop", session:
                return await self.boards.drop(session)
        return await self.carry_out_beside(operation)

    async def carry_out_beside(self, operation):
        """What is not of one board."""
        match operation:
            case "wanted", wanted:
                await self.wanted.add(wanted)
                # They are a millisecond apart: by then all are due, in an order that both sides share.
                due_at = time.time() + len(wanted) / 1000
                while time.time() < due_at:
                    await asyncio.sleep(0)
            case ("taken",):
                self.claims += (taken := await self.wanted.take(10))
                return [it.quiz_session_id for it in taken]
            case ("done",):
                for claim in self.claims:
                    await self.wanted.done(claim)
                self.claims = []
            case "turn", True:
                return await Turns(self.redis).take("audit", seconds=100)
            case "turn", False:
                return await Turns(self.redis).end("audit")
            case ("who",):
                before, self.incarnation = self.incarnation, (await Incarnations(self.redis).current()).id
                return self.incarnation == before
        return None


def epoch_of(value):
    """Without the time in it."""
    return msgspec.structs.replace(value, epoch=value.epoch.split(".")[0])


async def interfere(real, simulated: DirectCache, operation) -> None:
    """What no script does."""
    data = simulated.server.data
    match operation:
        case "key deleted", session, part:
            await real.delete(board_keys(session)[part])
            data.delete(board_keys(session)[part])
        case "another run", session:
            for key in (board_keys(session)[3], INCARNATION):
                await real.hset(key, "life", "0" * 40)
                data.collection(key)["life"] = "0" * 40
        case ("emptied",):
            await real.flushdb()
            data.clear()


async def compare(redis_url: str, steps, monkeypatch) -> None:
    numbers = count()
    async with opened_leaderboards(redis_url) as (_, redis):
        await redis.flushdb()
        run_id = (await redis.info("server"))["run_id"]
        simulated = DirectCache(f"{run_id}:{(await redis.info('replication'))['master_replid']}")
        real_side, simulated_side = Side(redis), Side(simulated)
        for step in steps:
            epoch = f"epoch-{next(numbers)}"
            monkeypatch.setattr(leaderboard, "new_epoch", lambda epoch=epoch: epoch)
            await interfere(redis, simulated, step)
            assert await simulated_side.carry_out(step) == await real_side.carry_out(step), step
        for session in SESSIONS:
            assert [simulated.server.data.exists(it) for it in board_keys(session)] == [
                bool(await redis.exists(it)) for it in board_keys(session)
            ]


def test_the_simulated_cache_is_the_scripts(each_redis_url, monkeypatch):
    """The same calls in any order, with keys deleted and boards of other runs in between, get the same replies."""

    @settings(
        max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(st.lists(operations, max_size=25))
    def any_calls(steps):
        asyncio.run(compare(each_redis_url, steps, monkeypatch))

    any_calls()


def test_every_script_is_simulated():
    """A script that is changed has another digest, and is looked at again here."""
    assert set(script_digests().values()) == set(SCRIPTS)


@pytest.mark.parametrize("seconds", [0.0, 100.0])
def test_keys_end(seconds):
    """An expired key is no key, whoever looks."""
    cache = DirectCache("run")
    cache.server.data.set("key", "value")
    cache.server.data.expire("key", seconds)
    assert cache.server.data.exists("key") == bool(seconds)
