"""The log of a session's answers: one chain, whoever writes it, over what the ledger says."""

import asyncio
import random
from collections.abc import Sequence

import asyncpg
import msgspec
import pytest

from tests.scene import Scene, new_user, opened_pool
from tests.servers import of_database, unused_name
from tiebreak.database.answer_log import LoggedAnswer, log_end, logged_answers, snapshot
from tiebreak.database.answers import NewAnswer, Recorded, ledger, record_answers
from tiebreak.database.migrations import migrate
from tiebreak.database.pool import Pool
from tiebreak.database.queries import sql
from tiebreak.database.quiz_sessions import Join, finish_session, join_sessions
from tiebreak.errors import Refusal
from tiebreak.ids import new_id
from tiebreak.quiz.model import QuizSessionId
from tiebreak.quiz.receipts import Receipt, empty_log, leaf_of, next_digest, parse_receipt

PLAYERS = 40
QUESTIONS = 5


async def log_of(database_url: str, quiz_session_id: QuizSessionId) -> list[LoggedAnswer]:
    """The log, after every link of it was computed again from the ledger."""
    async with snapshot(database_url) as connection:
        found = [answer async for answer in logged_answers(connection, quiz_session_id)]
        end = await log_end(connection, quiz_session_id)
    digest, leaves, position = empty_log(quiz_session_id), b"", 0
    for answer in found:
        row = answer.in_ledger
        assert row
        position += 1
        assert answer.link_position == position - answer.number + answer.length
        leaves += leaf_of(
            answer.id,
            row.participant_id,
            row.question_id,
            correct=row.correct,
            score=row.score,
            answered_at_us=row.answered_at_us,
            answer=row.answer,
        )
        assert leaves[-32:] == answer.leaf
        if answer.number == answer.length:
            digest, leaves = next_digest(digest, leaves), b""
            assert answer.digest == digest
    assert leaves == b""
    assert (end.length, end.digest) == (position, digest) if end else not found
    return found


def receipts_of(log: Sequence[LoggedAnswer], quiz_session_id: QuizSessionId) -> dict[object, Receipt]:
    """What the log would say of each of its answers."""
    return {
        answer.id: Receipt(
            answer.id, quiz_session_id, answer.in_ledger.answered_at_us // 1_000, position, answer.digest
        )
        for position, answer in enumerate(log, 1)
        if answer.in_ledger
    }


async def players(scene: Scene, number: int = PLAYERS) -> list:
    users = [await new_user(scene.pool) for _ in range(number)]
    await join_sessions(scene.pool, [Join(new_id(), scene.session_id, user, None) for user in users])
    return users


async def test_batch_is_one_link_and_each_answer_has_its_receipt(database_url):
    """In the order of their ids, refused ones left out, of two sessions each in its own log."""
    async with opened_pool(database_url) as pool:
        scene, other = await Scene.set(pool), await Scene.set(pool)
        users, [sue] = await players(scene, 3), await players(other, 1)
        batch = [
            *(scene.new_answer(user, 0) for user in users),
            other.new_answer(sue, 1),
            scene.new_answer(users[0], 0),
            scene.new_answer(await new_user(pool), 0),
        ]
        random.Random(1).shuffle(batch)
        outcomes = await record_answers(pool, batch)
        alone = await scene.answer(users[0], 1)
        recorded = [outcome for outcome in (*outcomes, alone) if isinstance(outcome, Recorded)]
        log, others = await log_of(database_url, scene.session_id), await log_of(database_url, other.session_id)
        assert [(answer.number, answer.length) for answer in log] == [(1, 3), (2, 3), (3, 3), (1, 1)]
        assert [answer.id for answer in log[:3]] == sorted(answer.id for answer in log[:3])
        assert [(answer.number, answer.length) for answer in others] == [(1, 1)]
        expected = receipts_of(log, scene.session_id) | receipts_of(others, other.session_id)
        assert {outcome.id: outcome.receipt for outcome in recorded} == expected
        assert all(parse_receipt(receipt.text()) == receipt for receipt in expected.values())


@pytest.mark.parametrize("answer", [1, True, [3, 1], "cold", "Zoë 🦊\n\\ \u2028", "x" * 3_000])
async def test_leaf_in_sql_is_the_leaf_in_python(database_url, answer):
    """Whatever was answered, in a batch and alone, and as the function says it."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        users = await players(scene, 3)
        answers = [
            msgspec.structs.replace(scene.new_answer(user, 0, correct=False, after_ms=-at), answer=answer)
            for at, user in enumerate(users)
        ]
        for batch in (answers[:1], answers[1:]):
            await record_answers(pool, batch)
        log = await log_of(database_url, scene.session_id)
        assert len(log) == 3
        stated = await pool.fetch(
            "SELECT answer_leaf(id, quiz_session_participant_id, question_id, correct, score, "
            "(extract(epoch FROM answered_at) * 1000000)::bigint, answer) AS leaf FROM participant_answers"
        )
        assert {row["leaf"] for row in stated} == {answer.leaf for answer in log}


@pytest.mark.parametrize("name", ["record_answer", "record_answers"])
async def test_leaf_is_an_expression_of_the_statement(database_url, name):
    """Inlined, not called: Postgres would prepare a function anew in every statement."""
    plan = await plan_of(database_url, name, 13)
    assert "convert_to(" in plan
    assert "answer_leaf(" not in plan


async def test_link_of_a_repetition_is_found_by_index(database_url):
    """By the greatest id of its answers, however long the log is."""
    plan = await plan_of(database_url, "recorded_answers", 3)
    assert "answer_links.last_id >= participant_answers.id" in plan
    assert "Index Scan using answer_links_last_id" in plan


async def plan_of(database_url: str, name: str, parameters: int) -> str:
    """How Postgres carries out a statement, as it does for the app server: planned for all values at once."""
    connection = await asyncpg.connect(database_url, server_settings={"plan_cache_mode": "force_generic_plan"})
    try:
        await connection.execute(f"PREPARE asked AS {sql(name)}")
        values = ", ".join(["NULL"] * parameters)
        return "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN (VERBOSE) EXECUTE asked ({values})"))
    finally:
        await connection.close()


async def test_many_writers_make_one_chain(database_url):
    """Servers that write at the same moment, in batches and one by one: no two links share a place or a predecessor."""
    async with opened_pool(database_url, size=8) as pool:
        scenes = [await Scene.set(pool, [100] * QUESTIONS) for _ in range(3)]
        users = [(scene, user) for scene in scenes for user in await players(scene)]
        answers = [scene.new_answer(user, question) for scene, user in users for question in range(QUESTIONS)]
        chance = random.Random(1)
        chance.shuffle(answers)
        batches: list[list[NewAnswer]] = []
        while answers:
            size = chance.choice([1, 1, 1, 2, 5, 20])
            batches.append(answers[:size])
            del answers[:size]

        found = await asyncio.gather(*(record_answers(pool, batch) for batch in batches))
        outcomes = [outcome for batch in found for outcome in batch]
        expected: dict[object, Receipt] = {}
        for scene in scenes:
            log = await log_of(database_url, scene.session_id)
            assert len(log) == PLAYERS * QUESTIONS
            assert {answer.id for answer in log} == {
                change.participant_answer_id for change in await ledger(pool, scene.session_id)
            }
            expected |= receipts_of(log, scene.session_id)
        assert {outcome.id: outcome.receipt for outcome in outcomes if isinstance(outcome, Recorded)} == expected


async def test_first_answers_of_a_session_at_once_begin_one_log(database_url):
    """The log is made with its first link, and only one of those that try to makes it."""
    async with opened_pool(database_url, size=10) as pool:
        for _ in range(10):
            scene = await Scene.set(pool)
            users = await players(scene, 10)
            await asyncio.gather(*(scene.answer(user, 0) for user in users))
            assert len(await log_of(database_url, scene.session_id)) == 10


async def test_link_that_waited_follows_the_newest_one(database_url):
    """A statement that began before another one's commit does not follow what its own snapshot shows."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        users = await players(scene, 6)
        await scene.answer(users[0], 0)
        async with pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await record_answers(HeldPool(connection), [scene.new_answer(user, 0) for user in users[1:3]])
            alone = asyncio.create_task(scene.answer(users[3], 0))
            together = asyncio.create_task(record_answers(pool, [scene.new_answer(user, 0) for user in users[4:]]))
            async with asyncio.timeout(20):
                while await waiting_for_locks(pool) < 2:
                    await asyncio.sleep(0)
            await transaction.commit()
        await asyncio.gather(alone, together)
        assert len(await log_of(database_url, scene.session_id)) == 6


class HeldPool:
    """A pool of one connection, within a transaction that the test ends."""

    def __init__(self, connection) -> None:
        self.fetch_hot = connection.fetch


async def waiting_for_locks(pool: Pool) -> int:
    return await pool.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")


@pytest.mark.parametrize("together", [True, False])
async def test_repetition_has_the_first_receipt_and_adds_nothing(database_url, together):
    """By answer_id, and by the answer's own id after a commit nobody heard of; after the session's end too."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        users = await players(scene, 3)
        answers = [scene.new_answer(user, 0, answer_id=new_id()) for user in users]
        first = await record_answers(pool, answers)
        await scene.answer(users[0], 1)
        await finish_session(pool, scene.session_id)
        retried = [msgspec.structs.replace(answer, id=new_id(), answered_at_ms=0) for answer in answers]
        for again in (answers, retried):
            batches = [again] if together else [[answer] for answer in again]
            outcomes = [outcome for batch in batches for outcome in await record_answers(pool, batch)]
            assert [outcome.receipt for outcome in outcomes if isinstance(outcome, Recorded)] == [
                outcome.receipt for outcome in first if isinstance(outcome, Recorded)
            ]
        assert len(await log_of(database_url, scene.session_id)) == 4


async def test_answer_without_a_place_in_the_log_has_no_receipt(database_url):
    """A server of an earlier version may have recorded it; the retry is confirmed all the same."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        [user] = await players(scene, 1)
        answer_id = new_id()
        first = await scene.answer(user, 0, answer_id=answer_id)
        await pool.execute("DELETE FROM answer_links")
        again = await scene.answer(user, 0, answer_id=answer_id)
        assert isinstance(first, Recorded)
        assert again == msgspec.structs.replace(first, new=False, receipt=None)


async def test_refused_answers_leave_no_log(database_url):
    """Nothing was recorded, so there is nothing to follow."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        stranger = await new_user(pool)
        assert await scene.answer(stranger, 0) is Refusal.NOT_JOINED
        await record_answers(pool, [scene.new_answer(stranger, at) for at in range(3)])
        assert await log_of(database_url, scene.session_id) == []


async def test_answers_of_before_the_log_are_in_it(postgres_url):
    """The migration makes links of 256 answers, by their time; a retry of an old answer gets a receipt."""
    name = unused_name("test")
    await executed(postgres_url, f"CREATE DATABASE {name}")
    url = of_database(postgres_url, name)
    try:
        await migrate(url)
        async with opened_pool(url) as pool:
            scene, other = await Scene.set(pool, [100] * 30), await Scene.set(pool)
            answers = [
                scene.new_answer(user, at, after_ms=-at, answer_id=new_id())
                for user in await players(scene, 10)
                for at in range(30)
            ]
            random.Random(1).shuffle(answers)
            await record_answers(pool, answers)
            await other.answer((await players(other, 1))[0], 0)
            # As if they had been recorded by a Tiebreak that kept no log.
            await pool.execute(
                "DROP TABLE answer_logs, answer_links; DROP FUNCTION answer_leaf, empty_log; "
                "DELETE FROM schema_migrations WHERE number IN (4, 8, 9)"
            )
            assert await migrate(url) == ["0004_answer_log", "0008_answer_alone", "0009_links_without_a_key"]
            log = await log_of(url, scene.session_id)
            assert len(await log_of(url, other.session_id)) == 1
            assert [answer.length for answer in log] == [256] * 256 + [44] * 44
            assert sorted(log, key=lambda it: (it.in_ledger.answered_at_us, it.id)) == log
            [again] = await record_answers(pool, [msgspec.structs.replace(answers[7], id=new_id())])
            assert isinstance(again, Recorded)
            assert again.receipt == receipts_of(log, scene.session_id)[again.id]
    finally:
        await executed(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


async def executed(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
