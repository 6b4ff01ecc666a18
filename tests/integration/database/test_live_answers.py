"""Answers in a live session: taken within the question's window alone, and on nobody's board before it is shut."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence

import pytest

from tests.live_scene import LIMIT_MS, LiveScene
from tests.scene import Scene, opened_pool
from tiebreak.database.answers import NewAnswer, Outcome, Recorded, answers_of, ledger, record_answers, standings
from tiebreak.database.held_answers import release_answers, release_stragglers
from tiebreak.database.outbox import Outbox, outbox_depth
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import find_participant, finish_session
from tiebreak.errors import Refusal
from tiebreak.events import HELD, SHARDS, shard_of
from tiebreak.ids import new_id

HOUR = 3600.0
LAST_MS = 1_000 + LIMIT_MS - 1


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with opened_pool(database_url) as pool:
        yield pool


async def recorded(pool: Pool, answer: NewAnswer, *, together: bool) -> Outcome:
    """By the statement for one, or by that for many, beside one of another session."""
    if not together:
        return (await record_answers(pool, [answer]))[0]
    other = await Scene.set(pool)
    neighbour, outcome = await record_answers(pool, [other.new_answer((await other.player())[0], 0), answer])
    assert isinstance(neighbour, Recorded)
    return outcome


def name_of(outcome: Outcome) -> str:
    return "taken" if isinstance(outcome, Recorded) else outcome if outcome == "moved" else outcome.code


# When the answer came (ms), extra time (percent), when the question was shut (ms), and what becomes of the answer.
EDGES = [
    (999, 0, None, "question_not_open"),
    (1_000, 0, None, "taken"),
    (LAST_MS, 0, None, "taken"),
    (LAST_MS + 1, 0, None, "question_closed"),
    (LAST_MS + 1, 50, None, "taken"),
    (LAST_MS + LIMIT_MS // 2, 50, None, "taken"),
    (LAST_MS + LIMIT_MS // 2 + 1, 50, None, "question_closed"),
    (4_999, 0, 5_000, "taken"),
    (5_000, 0, 5_000, "question_closed"),
    (LAST_MS + 1, 50, LAST_MS + 1, "question_closed"),
    (999, 0, 5_000, "question_not_open"),
]


@pytest.mark.parametrize("together", [False, True], ids=["alone", "together"])
@pytest.mark.parametrize(("after_ms", "percent", "shut_ms", "expected"), EDGES)
async def test_window(pool: Pool, after_ms: int, percent: int, shut_ms: int | None, expected: str, together: bool):
    """From its opening on, before its close and extra time, and before it is shut: to the millisecond."""
    scene = await LiveScene.set(pool)
    user, participant = await scene.player()
    await pool.execute(
        "UPDATE quiz_session_participants SET extra_time_percent = $2 WHERE id = $1", participant.id, percent
    )
    await scene.ask(0)
    if shut_ms is not None:
        await scene.shut(0, at_ms=shut_ms)
    outcome = await recorded(pool, scene.live_answer(user, 0, after_ms=after_ms), together=together)
    assert name_of(outcome) == expected
    assert len(await answers_of(pool, participant.id)) == (expected == "taken")


@pytest.mark.parametrize("together", [False, True], ids=["alone", "together"])
async def test_question_that_is_not_asked_takes_no_answer(pool: Pool, together: bool):
    """Nor does one that was announced as if the session were self-paced."""
    scene = await LiveScene.set(pool)
    user, _ = await scene.player()
    for opens_ms in (1_000, None):
        answer = scene.live_answer(user, 1, opens_ms=opens_ms)
        assert await recorded(pool, answer, together=together) is Refusal.QUESTION_NOT_OPEN
    await scene.ask(0)
    assert await recorded(pool, scene.live_answer(user, 0, opens_ms=None), together=together) == "moved"
    assert await pool.fetchval("SELECT count(*) FROM events WHERE quiz_session_id = $1", scene.session_id) == 0


@pytest.mark.parametrize("together", [False, True], ids=["alone", "together"])
async def test_score_of_another_window(pool: Pool, together: bool):
    """A window that moved since takes the answer only once it is scored anew; which it may be, by the same id."""
    scene = await LiveScene.set(pool)
    user, _ = await scene.player()
    await scene.ask(0, opens_ms=2_000)
    answer = scene.live_answer(user, 0, after_ms=2_500, opens_ms=1_000)
    assert await recorded(pool, answer, together=together) == "moved"
    assert await pool.fetchval("SELECT count(*) FROM participant_answers WHERE id = $1", answer.id) == 0
    anew = scene.live_answer(user, 0, after_ms=2_500, opens_ms=2_000)
    assert isinstance(await recorded(pool, anew, together=together), Recorded)
    assert await pool.fetchval("SELECT response_ms FROM participant_answers WHERE id = $1", anew.id) == 500


@pytest.mark.parametrize("together", [False, True], ids=["alone", "together"])
async def test_removed_participant_has_not_joined(pool: Pool, together: bool):
    """Removed, a participant answers nothing; back again, as before."""
    scene = await LiveScene.set(pool)
    user, participant = await scene.player()
    await scene.ask(0)
    await scene.remove(participant.id)
    assert await recorded(pool, scene.live_answer(user, 0), together=together) is Refusal.NOT_JOINED
    assert await find_participant(pool, scene.session_id, user) is None
    await pool.execute("UPDATE quiz_session_participants SET removed_at = NULL")
    assert isinstance(await recorded(pool, scene.live_answer(user, 0), together=together), Recorded)


async def test_what_wins_when_several_hold(pool: Pool):
    """The same answer again has its first outcome for ever; then the session's end, then that it was answered."""
    scene = await LiveScene.set(pool)
    user, _ = await scene.player()
    late, _ = await scene.player()
    await scene.ask(0)
    answer_id = new_id()
    first = await scene.give(user, 0, answer_id=answer_id)
    assert isinstance(first, Recorded)

    async def again() -> bool:
        outcomes = [
            await scene.give(user, 0, answer_id=answer_id, after_ms=ms, opens_ms=5) for ms in (0, 1_000, 99_000)
        ]
        return {(it.id, it.score, it.new) for it in outcomes if isinstance(it, Recorded)} == {(first.id, 100, False)}

    assert await again()
    for after_ms, opens_ms in ((999, 1_000), (1_500, 1_000), (99_000, 1_000), (1_500, 5)):
        outcome = await scene.give(user, 0, after_ms=after_ms, opens_ms=opens_ms, answer_id=new_id())
        assert outcome is Refusal.QUESTION_ALREADY_ANSWERED
    await scene.shut(0, at_ms=5_000)
    assert await again()
    assert await scene.give(late, 0, after_ms=6_000) is Refusal.QUESTION_CLOSED
    assert await scene.give(late, 0, after_ms=500) is Refusal.QUESTION_NOT_OPEN
    await finish_session(pool, scene.session_id)
    assert await again()
    assert await scene.give(user, 0, answer_id=new_id()) is Refusal.SESSION_FINISHED
    assert await scene.give(late, 0, after_ms=500) is Refusal.SESSION_FINISHED
    [foreign] = await record_answers(pool, [replaced_question(scene.live_answer(late, 0))])
    assert foreign is Refusal.QUESTION_NOT_IN_QUIZ


def replaced_question(answer: NewAnswer) -> NewAnswer:
    return NewAnswer(**{name: getattr(answer, name) for name in answer.__struct_fields__} | {"question_id": new_id()})


async def test_receipt_waits_until_the_question_is_shut(pool: Pool):
    """By two receipts in a row it can be found out which answers were right."""
    scene = await LiveScene.set(pool)
    (user, _), (other, _) = await scene.player(), await scene.player()
    await scene.ask(0)
    answer = scene.live_answer(user, 0)
    outcomes = await record_answers(pool, [answer, scene.live_answer(other, 0)])
    outcomes += await record_answers(pool, [answer])
    assert [isinstance(it, Recorded) and it.receipt for it in outcomes] == [None, None, None]
    await scene.shut(0)
    [shut] = await record_answers(pool, [answer])
    assert isinstance(shut, Recorded)
    assert shut.receipt
    assert (shut.receipt.position, shut.receipt.accepted_at_ms) == (1, answer.answered_at_ms)


# --- held events ---------------------------------------------------------------------------------------------------


async def shards(pool: Pool) -> Sequence[int]:
    return [row["shard"] for row in await pool.fetch("SELECT shard FROM events ORDER BY id")]


@pytest.mark.parametrize("together", [False, True], ids=["alone", "together"])
async def test_event_is_held_until_its_question_is_shut(pool: Pool, together: bool):
    """No publisher worker sees it before; then it goes like any other, and says that time does not decide."""
    scene = await LiveScene.set(pool)
    user, _ = await scene.player("Zoë 🦊")
    other = await Scene.set(pool)
    outbox = Outbox(pool, new_id(), lease_seconds=HOUR)
    assert len(await outbox.lease()) == SHARDS
    await scene.ask(0)
    answer = scene.live_answer(user, 0)
    batch = [answer, other.new_answer((await other.player())[0], 0)] if together else [answer]
    assert all(isinstance(it, Recorded) for it in await record_answers(pool, batch))
    assert [it.quiz_session_id for it in await outbox.waiting(10)] == [other.session_id] * together
    assert (await outbox_depth(pool), sorted(await shards(pool))[0]) == (int(together), HELD)
    assert (await ledger(pool, scene.session_id), await standings(pool, scene.session_id)) == ([], [])

    assert await scene.shut(0) == 1
    [event] = [it for it in await outbox.waiting(10) if it.quiz_session_id == scene.session_id]
    assert (event.shard, json.loads(event.payload)["time_decides"]) == (shard_of(scene.session_id), False)
    [change] = await ledger(pool, scene.session_id)
    assert (change.participant_answer_id, change.time_decides) == (answer.id, False)
    if together:
        assert "time_decides" not in json.loads(
            (await pool.fetchrow("SELECT payload FROM events WHERE quiz_session_id = $1", other.session_id))["payload"]
        )


async def test_only_what_is_shut_is_released(pool: Pool):
    """Of one question, of one session; and nothing if the shutting is rolled back."""
    scene, other = await LiveScene.set(pool), await LiveScene.set(pool)
    for it in (scene, other):
        user, _ = await it.player()
        for question in (0, 1):
            await it.ask(question)
            assert isinstance(await it.give(user, question), Recorded)
    assert await release_answers(pool, scene.session_id) == 0
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("UPDATE quiz_session_questions SET shut_at_ms = opens_at_ms + 1")
        assert await release_answers(connection, scene.session_id) == 2
        await transaction.rollback()
    assert list(await shards(pool)) == [HELD] * 4
    assert await scene.shut(0) == 1
    assert sorted(await shards(pool)) == [HELD] * 3 + [shard_of(scene.session_id)]
    assert await release_stragglers(pool) == 0


async def test_straggler_is_released_later(pool: Pool):
    """An answer that came in time and is committed after the question was shut."""
    scene = await LiveScene.set(pool)
    user, _ = await scene.player()
    await scene.ask(0)
    assert await scene.shut(0, at_ms=5_000) == 0
    assert isinstance(await scene.give(user, 0, after_ms=4_999), Recorded)
    assert list(await shards(pool)) == [HELD]
    assert await release_stragglers(pool) == 1
    assert list(await shards(pool)) == [shard_of(scene.session_id)]
    assert await release_stragglers(pool) == 0


async def test_what_another_transaction_releases_is_left_to_it(pool: Pool):
    """Nobody waits for it, and no event is released twice."""
    scene = await LiveScene.set(pool)
    user, _ = await scene.player()
    await scene.ask(0)
    await scene.shut(0, at_ms=5_000)
    await scene.give(user, 0, after_ms=4_999)
    async with pool.acquire() as connection, connection.transaction():
        assert await release_answers(connection, scene.session_id) == 1
        assert await release_stragglers(pool) == 0
    assert await release_stragglers(pool) == 0
    assert list(await shards(pool)) == [shard_of(scene.session_id)]


async def test_removed_participants_are_on_no_board(pool: Pool):
    """Neither in the ledger that boards are built from, nor on the bus; back again, they are on both."""
    scene = await LiveScene.set(pool)
    (gone, participant), (stays, _) = await scene.player("gone"), await scene.player("stays")
    await scene.ask(0)
    await record_answers(pool, [scene.live_answer(gone, 0), scene.live_answer(stays, 0)])
    await scene.remove(participant.id)
    assert await scene.shut(0) == 1
    assert [it.name for it in await ledger(pool, scene.session_id)] == ["stays"]
    assert [it.name for it in await standings(pool, scene.session_id)] == ["stays"]
    assert await release_stragglers(pool) == 0
    await pool.execute("UPDATE quiz_session_participants SET removed_at = NULL")
    assert await release_stragglers(pool) == 1
    assert {it.name for it in await standings(pool, scene.session_id)} == {"gone", "stays"}


async def test_time_does_not_decide(pool: Pool):
    """Equal points share a place, whenever they were reached; the next one skips."""
    scene = await LiveScene.set(pool, (100, 100, 50))
    players = [(await scene.player(name))[0] for name in "abcd"]
    for question in range(3):
        await scene.ask(question, opens_ms=1_000)
    for player, question, after_ms in ((0, 0, 1_000), (1, 1, 9_000), (2, 2, 1_500), (3, 0, 5_000), (3, 2, 6_000)):
        assert isinstance(await scene.give(players[player], question, after_ms=after_ms), Recorded)
    await scene.shut(0)
    await scene.shut(1)
    assert [(it.rank, it.name, it.score) for it in await standings(pool, scene.session_id)] == [
        (1, "d", 100),
        (1, "b", 100),
        (1, "a", 100),
    ]
    await scene.shut(2)
    assert [(it.rank, it.name, it.score) for it in await standings(pool, scene.session_id)] == [
        (1, "d", 150),
        (2, "b", 100),
        (2, "a", 100),
        (4, "c", 50),
    ]


async def test_an_answer_is_released_under_the_name_its_player_has_by_then(pool: Pool):
    """A name that was changed meanwhile does not come back onto the board with it."""
    scene = await LiveScene.set(pool)
    user, participant = await scene.player()
    await scene.ask(0)
    await scene.give(user, 0)
    await pool.execute("UPDATE quiz_session_participants SET name = 'Tim' WHERE id = $1", participant.id)
    await scene.shut(0)
    payload = await pool.fetchval("SELECT payload FROM events WHERE shard <> -1")
    assert json.loads(payload)["name"] == "Tim"
