"""`tiebreak verify`: a receipt holds, or what became of the log is named."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
import pytest

from tests.integration.test_cli import tiebreak
from tests.scene import Scene, new_user, opened_pool
from tiebreak.answer_log.verify import verify
from tiebreak.database.answers import NewAnswer, Recorded, record_answers
from tiebreak.database.pool import Pool
from tiebreak.ids import new_id
from tiebreak.quiz.receipts import Receipt, leaf_of, next_digest

# Six answers in links of 1, 3, 1 and 1.
LINKS = (1, 3, 1, 1)


@dataclass
class Told:
    """A database in which six answers were recorded, and what was told of them."""

    url: str
    pool: Pool
    scene: Scene
    answers: Sequence[NewAnswer]
    receipts: Sequence[Receipt]

    async def execute(self, statement: str, *arguments: object) -> None:
        await self.pool.execute(statement, *arguments)

    async def problems(self, position: int = 3) -> list[str]:
        """What is found by the receipt of a position."""
        return list((await verify(self.url, self.receipts[position - 1])).problems)

    def id(self, position: int) -> UUID:
        return self.receipts[position - 1].answer_id


@pytest.fixture
async def told(database_url) -> AsyncIterator[Told]:
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        users = [(await scene.player())[0] for _ in range(sum(LINKS))]
        answers = [scene.new_answer(user, 0, answer_id=new_id(), after_ms=at) for at, user in enumerate(users)]
        left, receipts = iter(answers), []
        for length in LINKS:
            outcomes = await record_answers(pool, [next(left) for _ in range(length)])
            receipts += [outcome.receipt for outcome in outcomes if isinstance(outcome, Recorded)]
        yield Told(database_url, pool, scene, answers, receipts)


async def test_every_receipt_holds(told):
    """Whichever answer it is of; it counts those before and after it."""
    for position, receipt in enumerate(told.receipts, 1):
        verdict = await verify(told.url, receipt)
        assert (list(verdict.problems), verdict.before, verdict.after) == ([], position - 1, 6 - position)


async def test_log_that_goes_on_holds(told):
    """An old receipt outlives new answers."""
    await told.scene.answer((await told.scene.player())[0], 1)
    verdict = await verify(told.url, told.receipts[2])
    assert (verdict.problems, verdict.after) == ([], 4)


@pytest.mark.parametrize(
    "change",
    [
        "score = 99",
        "score = score + 1, correct = NOT correct",
        "correct = NOT correct",
        "answer = '\"another\"'",
        "answer = ' ' || answer",
        "answered_at = answered_at + interval '1 ms'",
        "answered_at = answered_at - interval '1 microsecond'",
        "answered_at = 'infinity'",
        "question_id = gen_random_uuid()",
        "quiz_session_participant_id = (SELECT id FROM quiz_session_participants ORDER BY joined_at LIMIT 1)",
    ],
)
@pytest.mark.parametrize("position", [3, 5])
async def test_changed_answer_is_named(told, change, position):
    """Alone in its link or not, before the receipt's answer and after it, whatever was changed."""
    if "joined_at" in change:
        await told.execute("UPDATE participant_answers SET question_id = gen_random_uuid() WHERE id = $1", told.id(1))
    await told.execute(f"UPDATE participant_answers SET {change} WHERE id = $1", told.id(position))
    for receipt in (1, position, 6):
        problems = await told.problems(receipt)
        assert f"answer {told.id(position)} at position {position} was changed in the ledger" in problems
        assert all("changed in the ledger" in problem or "accepted at" in problem for problem in problems)


async def test_answer_moved_to_another_session_is_named(told):
    """Its own row is as it was; the participant's is not."""
    other = await Scene.set(told.pool)
    await told.execute(
        "UPDATE quiz_session_participants SET quiz_session_id = $1 WHERE user_id = $2",
        other.session_id,
        told.answers[3].user_id,
    )
    assert await told.problems() == [f"answer {told.id(4)} at position 4 was changed in the ledger"]


async def test_missing_answer_is_named(told):
    """Every receipt of the session tells it, its own too."""
    await told.execute("DELETE FROM participant_answers WHERE id = $1", told.id(2))
    expected = [f"answer {told.id(2)} at position 2 is missing from the ledger"]
    assert await told.problems(1) == await told.problems(2) == await told.problems(6) == expected


async def test_added_answer_is_named(told):
    """What is in the ledger without a place in the log was not accepted by a server."""
    added = new_id()
    await told.execute(
        "INSERT INTO participant_answers "
        "(id, quiz_session_participant_id, question_id, answer, correct, score, answered_at) "
        "SELECT $1, quiz_session_participant_id, gen_random_uuid(), answer, true, 100, answered_at "
        "FROM participant_answers LIMIT 1",
        added,
    )
    assert await told.problems() == [f"answer {added} is in the ledger, but not in the log"]


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM answer_links WHERE position = 5", "the link of position 5 is missing from the log"),
        ("DELETE FROM answer_links WHERE position = 4", "the link of positions 2 to 4 is missing from the log"),
        ("DELETE FROM answer_links WHERE position = 6", "the log should have 6 answers, but its links have 5"),
        ("DELETE FROM answer_links", "the log should have 6 answers, but its links have 0"),
        ("DELETE FROM answer_logs", "the session's log has no end"),
        ("UPDATE answer_logs SET length = 7", "the log should have 7 answers, but its links have 6"),
        ("UPDATE answer_logs SET digest = sha256('x')", "the log's last link is not the one that it ends with"),
        ("UPDATE answer_links SET position = 7 WHERE position = 6", "the link of position 6 is missing from the log"),
        ("UPDATE answer_links SET position = 3 WHERE position = 4", "two links of the log have position 1"),
        (
            "UPDATE answer_links SET leaves = sha256('x') WHERE position = 5",
            "the link of position 5 was changed; its answers were not",
        ),
        (
            "UPDATE answer_links SET digest = sha256('x') WHERE position = 5",
            "the link of position 5 does not follow from what is before it",
        ),
        (
            "UPDATE answer_links SET ids = ARRAY[ids[2], ids[1], ids[3]] WHERE position = 4",
            "the link of positions 2 to 4 has its answers in another order",
        ),
        ("UPDATE answer_links SET ids = '{}' WHERE position = 5", "the link of position 5 is missing from the log"),
    ],
)
async def test_change_of_the_log_is_named(told, statement, problem):
    """A link, its place, its content, or the end."""
    await told.execute(statement)
    for position in (3, 6):
        assert any(told_of.startswith(problem) for told_of in await told.problems(position))


async def test_swapped_links_are_named(told):
    """Each of them follows something else now."""
    await told.execute(
        "UPDATE answer_links SET position = -position WHERE position > 4; "
        "UPDATE answer_links SET position = 11 + position WHERE position < 0"
    )
    assert await told.problems(1) == [
        "the link of position 5 does not follow from what is before it",
        "the link of position 6 does not follow from what is before it",
        "the log's last link is not the one that it ends with",
    ]
    assert f"the log has answer {told.id(6)} at the receipt's position 5" in await told.problems(5)


async def test_log_that_was_written_anew_is_exposed_by_a_receipt(told):
    """Score, leaf, link and all that follows from it fit together again: only what a player holds does not."""
    changed = told.id(5)
    await told.execute("UPDATE participant_answers SET score = 0 WHERE id = $1", changed)
    row = await told.pool.fetchrow("SELECT * FROM participant_answers WHERE id = $1", changed)
    leaf = leaf_of(
        changed,
        row["quiz_session_participant_id"],
        row["question_id"],
        correct=row["correct"],
        score=row["score"],
        answered_at_us=round(row["answered_at"].timestamp() * 1_000) * 1_000,
        answer=row["answer"],
    )
    digest = next_digest(told.receipts[3].digest, leaf)
    await told.execute("UPDATE answer_links SET leaves = $1, digest = $2 WHERE position = 5", leaf, digest)
    last = await told.pool.fetchval("SELECT leaves FROM answer_links WHERE position = 6")
    digest = next_digest(digest, last)
    await told.execute("UPDATE answer_links SET digest = $1 WHERE position = 6", digest)
    await told.execute("UPDATE answer_logs SET digest = $1", digest)
    exposed = ["the log's digest is not the receipt's there: the log was written anew since"]
    assert [await told.problems(position) for position in range(1, 7)] == [[]] * 4 + [exposed] * 2


async def test_forged_receipt_does_not_hold(told):
    """With another moment, another answer, another place."""
    receipt = told.receipts[4]
    for change, problem in (
        ({"accepted_at_ms": receipt.accepted_at_ms + 1}, "the ledger says it was accepted at"),
        ({"answer_id": told.id(1)}, f"the log has answer {told.id(5)} at the receipt's position 5"),
        ({"position": 7}, "the log has nothing at the receipt's position 7"),
        ({"position": 0}, "the log has nothing at the receipt's position 0"),
    ):
        [found] = (await verify(told.url, msgspec.structs.replace(receipt, **change))).problems
        assert found.startswith(problem)


async def test_many_problems_are_counted(told):
    """Twenty are told."""
    users = [await new_user(told.pool) for _ in range(30)]
    for user in users:
        await told.scene.join(user)
    await record_answers(told.pool, [told.scene.new_answer(user, 0) for user in users])
    await told.execute("UPDATE participant_answers SET score = 7")
    verdict = await verify(told.url, told.receipts[0])
    assert (len(verdict.problems), verdict.more_problems) == (20, 16)


async def test_other_sessions_are_not_looked_at(told):
    """What somebody did to them is told by their own receipts."""
    other = await Scene.set(told.pool)
    recorded = await other.answer((await other.player())[0], 0)
    await told.execute("UPDATE participant_answers SET score = 7 WHERE id = $1", recorded.id)
    assert await told.problems() == []


async def test_command(told):
    """Status and words: 0 held, 1 not or no such session, 2 no receipt; nothing but the database is asked."""
    environ = {"TIEBREAK_DATABASE_URL": told.url}
    text = told.receipts[2].text()
    held = tiebreak("verify", text, environ=environ)
    assert held.returncode == 0
    assert held.stdout.startswith(f"held, unchanged: answer {told.id(3)} of quiz session {told.scene.session_id}")
    assert "2 answers before it and 3 after it" in held.stdout

    await told.execute("UPDATE participant_answers SET score = 1 WHERE id = $1", told.id(3))
    changed = tiebreak("verify", text, environ=environ)
    assert (changed.returncode, changed.stderr) == (1, "")
    assert f"- answer {told.id(3)} at position 3 was changed in the ledger" in changed.stdout.splitlines()

    unknown = tiebreak(
        "verify", msgspec.structs.replace(told.receipts[2], quiz_session_id=new_id()).text(), environ=environ
    )
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "which this database does not have" in unknown.stderr

    for broken in ("", "tb1.", text[:-1], text.replace("tb1.", "tb2."), text[:-1] + "~"):
        malformed = tiebreak("verify", broken, environ=environ)
        assert malformed.returncode == 2
        assert "copy all of it" in malformed.stderr


async def test_database_without_a_log(told):
    """It was made by an earlier version: what to do is said."""
    await told.execute("DROP TABLE answer_links")
    result = tiebreak("verify", told.receipts[0].text(), environ={"TIEBREAK_DATABASE_URL": told.url})
    assert result.returncode == 1
    assert "tiebreak migrate" in result.stderr
