"""The ledger: each answer once, with its event, or not at all."""

import asyncio
import json

import msgspec

from tests.scene import Scene, new_user, opened_pool
from tiebreak.database.answers import Recorded, answers_of, ledger, standings
from tiebreak.database.outbox import outbox_depth
from tiebreak.database.quiz_sessions import finish_session
from tiebreak.errors import Refusal
from tiebreak.events import shard_of
from tiebreak.ids import new_id


async def test_answer_is_recorded_with_its_event(database_url):
    """One row in the ledger, one in the outbox, and the event says what the row says."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        user, participant = await scene.player("Zoë 🦊")
        recorded = await scene.answer(user, 0, after_ms=1_234)
        assert isinstance(recorded, Recorded)
        assert (recorded.participant_id, recorded.score, recorded.new) == (participant.id, 100, True)

        event = await pool.fetchrow("SELECT * FROM events")
        assert (event["event_name"], event["type"]) == ("participant_score_change", "ADD_ANSWER")
        assert (event["quiz_session_id"], event["shard"]) == (scene.session_id, shard_of(scene.session_id))
        [change] = await ledger(pool, scene.session_id)
        assert json.loads(event["payload"]) == json.loads(msgspec.json.encode(change))
        assert change.name == "Zoë 🦊"


async def test_same_answer_sent_ten_times_at_once_counts_once(database_url):
    """Whatever the race, one row, one event; the others learn the first one's outcome by its answer_id."""
    async with opened_pool(database_url, size=10) as pool:
        scene = await Scene.set(pool)
        user, _ = await scene.player()
        answer_id = new_id()
        outcomes = await asyncio.gather(*(scene.answer(user, 0, answer_id=answer_id) for _ in range(10)))
        assert all(isinstance(outcome, Recorded) for outcome in outcomes)
        assert len({outcome.id for outcome in outcomes}) == 1
        assert sum(outcome.new for outcome in outcomes) == 1
        assert (len(await ledger(pool, scene.session_id)), await outbox_depth(pool)) == (1, 1)


async def test_ten_different_answers_at_once_count_once(database_url):
    """Without the first one's answer_id it is a second answer, and refused."""
    async with opened_pool(database_url, size=10) as pool:
        scene = await Scene.set(pool)
        user, _ = await scene.player()
        outcomes = await asyncio.gather(*(scene.answer(user, 0, answer_id=new_id()) for _ in range(10)))
        assert outcomes.count(Refusal.QUESTION_ALREADY_ANSWERED) == 9
        assert (len(await ledger(pool, scene.session_id)), await outbox_depth(pool)) == (1, 1)


async def test_answer_without_id_is_refused_the_second_time(database_url):
    """Nothing to recognise a retry by."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        user, _ = await scene.player()
        await scene.answer(user, 0)
        assert await scene.answer(user, 0) is Refusal.QUESTION_ALREADY_ANSWERED


async def test_only_participants_answer(database_url):
    """Somebody who has not joined leaves no trace."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        assert await scene.answer(await new_user(pool), 0) is Refusal.NOT_JOINED
        assert await outbox_depth(pool) == 0


async def test_finished_session_takes_no_answer_but_confirms_earlier_ones(database_url):
    """A retry that arrives after the end still learns that its answer counted."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        user, participant = await scene.player()
        answer_id = new_id()
        first = await scene.answer(user, 0, answer_id=answer_id)
        assert await finish_session(pool, scene.session_id)
        assert not await finish_session(pool, scene.session_id)
        again = await scene.answer(user, 0, answer_id=answer_id)
        assert isinstance(first, Recorded)
        assert isinstance(again, Recorded)
        assert again.id == first.id
        assert await scene.answer(user, 1) is Refusal.SESSION_FINISHED
        assert [given.score for given in await answers_of(pool, participant.id)] == [100]


async def test_standings_order(database_url):
    """Higher points first, then who reached them first; level ones share a rank and the next one skips."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        slow, fast, level, late_wrong, nothing = [(await scene.player(name)) for name in ("s", "f", "l", "w", "n")]
        await scene.answer(slow[0], 0, after_ms=900)
        await scene.answer(fast[0], 0, after_ms=500)
        await scene.answer(level[0], 1, after_ms=500)
        await scene.answer(late_wrong[0], 0, after_ms=400)
        await scene.answer(late_wrong[0], 1, correct=False, after_ms=5_000)
        await scene.answer(nothing[0], 0, correct=False, after_ms=100)
        rows = await standings(pool, scene.session_id)
        assert [(row.rank, row.name, row.score) for row in rows] == [
            (1, "w", 100),
            (2, "l", 100),
            (2, "f", 100),
            (4, "s", 100),
            (5, "n", 0),
        ]
