"""The one test: the events, replayed in any order and any number of times, give the board the ledger has."""

import asyncio
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.cache.boards import open_board, opened_leaderboards
from tests.live_scene import LIMIT_MS, LiveScene
from tests.scene import Scene, opened_pool
from tiebreak.database.answers import ledger, ledger_standings, standings
from tiebreak.database.outbox import WaitingEvent
from tiebreak.database.pool import Pool
from tiebreak.events import ScoreChange, decode
from tiebreak.publisher_worker.relay import message_of
from tiebreak.quiz.model import UserId
from tiebreak.quiz.ranking import Totals, opened_at_ms

PLAYERS = 5
POINTS = [100, 100, 50, 0]

# Few points and few moments, so that ties of every kind are common; moments out of range are held at the edge.
answers = st.lists(
    st.tuples(
        st.integers(0, PLAYERS - 1),
        st.integers(0, len(POINTS) - 1),
        st.booleans(),
        st.sampled_from([-5, 0, 1, 1_000, 1_001, 2**32 - 2, 2**32 - 1, 2**32 + 7]),
    ),
    max_size=20,
)


async def published(pool: Pool, scene: Scene) -> list[ScoreChange]:
    """The session's events as they go over the bus: encoded by the relay, decoded by the projection."""
    rows = await pool.fetch(
        "SELECT id, event_name, type, payload, quiz_session_id, shard FROM events "
        "WHERE quiz_session_id = $1 AND shard <> -1",
        scene.session_id,
    )
    return [decode(message_of(WaitingEvent(**row)).value).payload for row in rows]


async def give(scene: Scene, player: UserId, question: int, *, correct: bool, after_ms: int) -> None:
    """An answer; a live one within its window."""
    if isinstance(scene, LiveScene):
        await scene.give(player, question, correct=correct, after_ms=1_000 + after_ms % LIMIT_MS)
    else:
        await scene.answer(player, question, correct=correct, after_ms=after_ms)


async def replay_equals_ledger(
    database_url: str, redis_url: str, kind: type[Scene], given_answers, order, cuts
) -> None:
    async with opened_pool(database_url) as pool, opened_leaderboards(redis_url) as (boards, _):
        scene = await kind.set(pool, POINTS)
        await open_board(boards, scene.session_id)
        if isinstance(scene, LiveScene):
            for question in range(len(POINTS)):
                await scene.ask(question)
        players = [(await scene.player(f"Player {number}"))[0] for number in range(PLAYERS)]
        for player, question, correct, after_ms in given_answers:
            await give(scene, players[player], question, correct=correct, after_ms=after_ms)
        if isinstance(scene, LiveScene):
            assert await published(pool, scene) == await ledger(pool, scene.session_id) == []
            # One question stays open, and its answers are on no board.
            for question in range(len(POINTS) - 1):
                await scene.shut(question)
        events = await published(pool, scene)
        # Every event at least once, some again, in any order, in batches of any size.
        deliveries = [events[at % len(events)] for at in order] + events if events else []
        edges = sorted({0, len(deliveries), *(cut % (len(deliveries) + 1) for cut in cuts)})
        for start, end in itertools.pairwise(edges):
            await boards.apply({scene.session_id: deliveries[start:end]})
        board = await boards.read(scene.session_id, limit=100)
        expected = await standings(pool, scene.session_id)
        assert (list(board.rows) if board else []) == expected
        totals = Totals(opened_at_ms(scene.session_id))
        for change in await ledger(pool, scene.session_id):
            totals.add(
                change.quiz_session_participant_id,
                change.name,
                change.score,
                change.answered_at_ms,
                time_decides=change.time_decides,
            )
        if kind is LiveScene:
            scores = [row.score for row in expected]
            assert [row.rank for row in expected] == [1 + scores.index(score) for score in scores]
        assert await boards.standings(scene.session_id) == await ledger_standings(pool, scene.session_id)
        assert totals.rows() == expected
        for row in expected:
            part = await boards.read(scene.session_id, me=row.quiz_session_participant_id)
            assert part is not None
            assert part.me == row


@pytest.mark.parametrize("kind", [Scene, LiveScene], ids=["self-paced", "live"])
def test_replay_equals_ledger(database_url, redis_url, kind):
    """Points, order, ranks and ties: Redis, SQL and Python say the same of every participant.

    In a live session equal points share a place, whenever they were reached.
    """

    @settings(
        max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(answers, st.lists(st.integers(0, 1_000), max_size=20), st.lists(st.integers(0, 1_000), max_size=6))
    def every_order(given_answers, order, cuts):
        asyncio.run(replay_equals_ledger(database_url, redis_url, kind, given_answers, order, cuts))

    every_order()


def test_event_is_the_ledgers_row(database_url):
    """What the relay makes of the outbox's row is what the ledger says of the answer."""

    async def compare() -> None:
        async with opened_pool(database_url) as pool:
            scene = await Scene.set(pool)
            user, _ = await scene.player('Quote " and \\ and 🦊')
            await scene.answer(user, 1, after_ms=77)
            assert await published(pool, scene) == await ledger(pool, scene.session_id)

    asyncio.run(compare())
