"""Batches of answers and of joins: one commit, and each with the outcome it would have had alone."""

import asyncio
import random
from collections.abc import Sequence

import msgspec
import pytest

from tests.scene import Scene, new_user, opened_pool
from tiebreak.database.answers import NewAnswer, Recorded, ledger, record_answers
from tiebreak.database.outbox import outbox_depth
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import Join, Participant, finish_session, join_sessions
from tiebreak.errors import Refusal
from tiebreak.ids import new_id

# Batches take milliseconds: so that they meet, each row takes one more.
SLOW = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END';
CREATE TRIGGER slow BEFORE INSERT ON participant_answers FOR EACH ROW EXECUTE FUNCTION slow();
CREATE TRIGGER slow BEFORE INSERT ON quiz_session_participants FOR EACH ROW EXECUTE FUNCTION slow();
CREATE TRIGGER slow BEFORE INSERT ON answer_logs FOR EACH ROW EXECUTE FUNCTION slow();
"""
USERS = 30
BATCHES = 6


async def recorded(pool: Pool, answers: Sequence[NewAnswer], *, together: bool) -> list[Recorded | Refusal]:
    """All in one batch, or each in its own, for which there is a statement of its own."""
    if together:
        return await record_answers(pool, answers)
    return [outcome for answer in answers for outcome in await record_answers(pool, [answer])]


@pytest.mark.parametrize("together", [True, False])
async def test_each_answer_of_a_batch_has_its_own_outcome(database_url, together):
    """Good ones, a repetition, second answers, a stranger, a foreign question and a finished session, side by side."""
    async with opened_pool(database_url) as pool:
        scene, other, over = await Scene.set(pool), await Scene.set(pool), await Scene.set(pool)
        (zoe, _), (ali, _), (sue, _) = await scene.player("Zoë"), await scene.player("Ali"), await over.player("Sue")
        answer_id = new_id()
        [before] = await record_answers(pool, [scene.new_answer(zoe, 0, answer_id=answer_id)])
        await finish_session(pool, over.session_id)
        foreign = msgspec.structs.replace(scene.new_answer(ali, 0), question_id=other.question_ids[0])

        outcomes = await recorded(
            pool,
            [
                scene.new_answer(zoe, 1),
                scene.new_answer(zoe, 0, correct=False, answer_id=answer_id),
                scene.new_answer(zoe, 0, answer_id=new_id()),
                scene.new_answer(await new_user(pool), 0),
                foreign,
                over.new_answer(sue, 0),
                scene.new_answer(ali, 2, correct=False),
            ],
            together=together,
        )
        assert isinstance(before, Recorded)
        assert [type(outcome) for outcome in outcomes] == [Recorded, Recorded, *[Refusal] * 4, Recorded]
        assert outcomes[1] == msgspec.structs.replace(before, new=False)
        assert outcomes[2:6] == [
            Refusal.QUESTION_ALREADY_ANSWERED,
            Refusal.NOT_JOINED,
            Refusal.QUESTION_NOT_IN_QUIZ,
            Refusal.SESSION_FINISHED,
        ]
        assert {change.participant_answer_id for change in await ledger(pool, scene.session_id)} == {
            outcome.id for outcome in (before, outcomes[0], outcomes[6])
        }
        assert await outbox_depth(pool) == 3


@pytest.mark.parametrize("together", [True, False])
async def test_the_same_answer_thrice_in_a_batch_counts_once(database_url, together):
    """The first of them; the others get its outcome, or are second answers without its answer_id."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        user, _ = await scene.player()
        answer_id = new_id()
        first, again, second = await recorded(
            pool,
            [
                scene.new_answer(user, 0, answer_id=answer_id),
                scene.new_answer(user, 0, answer_id=answer_id),
                scene.new_answer(user, 0, correct=False),
            ],
            together=together,
        )
        assert isinstance(first, Recorded)
        assert isinstance(again, Recorded)
        assert (first.new, again.new, again.id) == (True, False, first.id)
        assert second is Refusal.QUESTION_ALREADY_ANSWERED
        assert (len(await ledger(pool, scene.session_id)), await outbox_depth(pool)) == (1, 1)


@pytest.mark.parametrize("together", [True, False])
async def test_batch_repeated_after_a_commit_nobody_heard_of(database_url, together):
    """Its answers are known by their own ids, those without an answer_id too, and are new to whoever repeats it."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        answers = [scene.new_answer((await scene.player())[0], 0) for _ in range(3)]
        outcomes = await recorded(pool, answers, together=together)
        await finish_session(pool, scene.session_id)
        assert await recorded(pool, answers, together=together) == outcomes
        assert all(isinstance(outcome, Recorded) and outcome.new for outcome in outcomes)
        assert await outbox_depth(pool) == 3


async def test_batches_of_the_same_answers_in_any_order_do_not_block_each_other(database_url):
    """Two app servers, clients that retry over the other one: Postgres would end one of two that wait in a circle."""
    async with opened_pool(database_url, size=BATCHES) as pool:
        scene = await Scene.set(pool)
        users = [await new_user(pool) for _ in range(USERS)]
        await join_sessions(pool, [Join(new_id(), scene.session_id, user, None) for user in users])
        await pool.execute(SLOW)
        ids = {user: new_id() for user in users}

        async def batch(number: int) -> list[Recorded | Refusal]:
            shuffled = random.Random(number).sample(users, len(users))
            return await record_answers(pool, [scene.new_answer(user, 0, answer_id=ids[user]) for user in shuffled])

        outcomes = [outcome for batch in await asyncio.gather(*map(batch, range(BATCHES))) for outcome in batch]
        assert all(isinstance(outcome, Recorded) for outcome in outcomes)
        assert sum(outcome.new for outcome in outcomes) == USERS
        assert (len(await ledger(pool, scene.session_id)), await outbox_depth(pool)) == (USERS, USERS)


async def test_batches_of_the_same_sessions_in_any_order_do_not_block_each_other(database_url):
    """Each adds to the logs of all of them, which two that wait in a circle could not."""
    async with opened_pool(database_url, size=BATCHES) as pool:
        scenes = [await Scene.set(pool) for _ in range(8)]
        await pool.execute(SLOW)

        async def batch(number: int) -> list[Recorded | Refusal]:
            shuffled = random.Random(number).sample(scenes, len(scenes))
            return await record_answers(
                pool, [scene.new_answer(users[scene.session_id, number], 0) for scene in shuffled]
            )

        users = {(scene.session_id, number): (await scene.player())[0] for scene in scenes for number in range(BATCHES)}
        outcomes = [outcome for batch in await asyncio.gather(*map(batch, range(BATCHES))) for outcome in batch]
        positions = sorted(outcome.receipt.position for outcome in outcomes if isinstance(outcome, Recorded))
        assert positions == sorted([*range(1, BATCHES + 1)] * len(scenes))


async def test_each_join_of_a_batch_has_its_own_outcome(database_url):
    """A new one, the same user twice, one who had joined, no session, a finished one, and nobody we know."""
    async with opened_pool(database_url) as pool:
        scene, over = await Scene.set(pool), await Scene.set(pool)
        await finish_session(pool, over.session_id)
        (before, _), new, late = await scene.player(), await new_user(pool, "Ann"), await new_user(pool)

        def join(user_id, session_id=scene.session_id, name=None) -> Join:
            return Join(new_id(), session_id, user_id, name)

        joins = [
            join(new),
            join(new, name="Anna"),
            join(before),
            join(late, new_id()),
            join(late, over.session_id),
            join(new_id(), name="Nobody"),
            join(late, name="Lee"),
        ]
        outcomes = await join_sessions(pool, joins)
        assert outcomes == [
            Participant(joins[0].id, "Ann"),
            Refusal.ALREADY_JOINED,
            Refusal.ALREADY_JOINED,
            Refusal.SESSION_NOT_FOUND_FOR_JOIN,
            Refusal.SESSION_FINISHED,
            Refusal.USER_UNKNOWN,
            Participant(joins[6].id, "Lee"),
        ]
        assert await join_sessions(pool, joins[:1]) == outcomes[:1]


async def test_batches_of_the_same_joins_in_any_order_do_not_block_each_other(database_url):
    """Each user is taken in once."""
    async with opened_pool(database_url, size=BATCHES) as pool:
        scene = await Scene.set(pool)
        users = [await new_user(pool) for _ in range(USERS)]
        await pool.execute(SLOW)

        async def batch(number: int) -> list[Participant | Refusal]:
            shuffled = random.Random(number).sample(users, len(users))
            return await join_sessions(pool, [Join(new_id(), scene.session_id, user, None) for user in shuffled])

        outcomes = [outcome for batch in await asyncio.gather(*map(batch, range(BATCHES))) for outcome in batch]
        assert sum(isinstance(outcome, Participant) for outcome in outcomes) == USERS
        assert outcomes.count(Refusal.ALREADY_JOINED) == (BATCHES - 1) * USERS
