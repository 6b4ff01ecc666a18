"""`tiebreak replay`: the board as it stood."""

import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.integration.test_cli import tiebreak
from tests.live_scene import LiveScene
from tests.scene import Scene, opened_pool
from tiebreak.answer_log.replay import replay
from tiebreak.database.answers import Recorded, record_answers, standings
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import finish_session, open_session
from tiebreak.ids import new_id
from tiebreak.quiz.model import ParticipantId
from tiebreak.quiz.ranking import Row, opened_at_ms

PLAYERS, QUESTIONS = 6, 4


@dataclass
class Played:
    """A session that was played, and its answers in the order of the log."""

    url: str
    pool: Pool
    scene: Scene
    names: dict[ParticipantId, str]
    log: list[tuple[Recorded, int]]

    @property
    def session(self) -> str:
        return str(self.scene.session_id)

    def board(self, answers: list[tuple[Recorded, int]]) -> list[Row]:
        """By the words of the rule: more points first, then who reached them first; equal in both share a rank."""
        points: dict[ParticipantId, int] = {}
        reached: dict[ParticipantId, int] = {}
        for recorded, after_ms in answers:
            who = recorded.participant_id
            points[who] = points.get(who, 0) + recorded.score
            reached[who] = max(reached.get(who, 0), after_ms if recorded.score else 0)
        order = sorted(points, key=lambda who: (-points[who], reached[who], -who.int))
        above = {
            who: sum((-points[other], reached[other]) < (-points[who], reached[who]) for other in points)
            for who in points
        }
        return [Row(above[who] + 1, who, self.names[who], points[who]) for who in order]


@pytest.fixture
async def played(database_url) -> AsyncIterator[Played]:
    """Answers at few moments, so that some are level; recorded in batches, not in the order of their time."""
    chance = random.Random(5)
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool, [100, 100, 50, 0])
        joined = [await scene.player(f"Player {number}") for number in range(PLAYERS)]
        given = [
            (scene.new_answer(user, question, correct=chance.random() < 0.7, after_ms=after_ms), after_ms)
            for user, _ in joined
            for question in range(QUESTIONS)
            for after_ms in [chance.choice([0, 1_000, 2_000, 3_000])]
        ]
        chance.shuffle(given)
        log = []
        while given:
            batch, given = given[:3], given[3:]
            outcomes = await record_answers(pool, [answer for answer, _ in batch])
            log += [
                (outcome, after_ms)
                for outcome, (_, after_ms) in zip(outcomes, batch, strict=True)
                if isinstance(outcome, Recorded)
            ]
        log.sort(key=lambda one: one[0].receipt.position)
        names = {participant.id: participant.name for _, participant in joined}
        yield Played(database_url, pool, scene, names, log)


async def test_now_is_what_the_ledger_says(played):
    """The same rows in the same order as SQL makes them, which are the board's (tests/consistency)."""
    board = await replay(played.url, played.session)
    assert board.rows == await standings(played.pool, played.scene.session_id) == played.board(played.log)
    assert (board.answers, board.participants, board.title) == (PLAYERS * QUESTIONS, PLAYERS, "A quiz")


async def test_until_each_answer(played):
    """The board after every prefix of the log."""
    for length, (recorded, _) in enumerate(played.log, 1):
        board = await replay(played.url, played.session, until=recorded.id)
        assert (board.answers, board.rows) == (length, played.board(played.log[:length]))


async def test_at_each_moment(played):
    """The answers accepted up to then, that moment included; none before the first one."""
    opened = opened_at_ms(played.scene.session_id)
    for after_ms in (-1, 0, 999, 1_000, 2_000, 2_999, 3_000, 10**9):
        answers = [one for one in played.log if one[1] <= after_ms]
        board = await replay(played.url, played.session, at_ms=opened + after_ms)
        assert (board.answers, board.rows) == (len(answers), played.board(answers))


async def test_session_by_its_pin(played):
    """The open one that has it, else the last one that had."""
    pin = await played.pool.fetchval("SELECT pin FROM quiz_sessions WHERE id = $1", played.scene.session_id)
    await finish_session(played.pool, played.scene.session_id)
    assert (await replay(played.url, pin)).quiz_session_id == played.scene.session_id
    opened = await open_session(played.pool, played.scene.host_id, played.scene.quiz_id)
    assert opened
    await played.pool.execute("UPDATE quiz_sessions SET pin = $1 WHERE id = $2", pin, opened[0])
    assert (await replay(played.url, pin)).quiz_session_id == opened[0]


async def test_command(played):
    """For people and for programs, all rows or the first ones, by ISO time, number or answer."""
    environ = {"TIEBREAK_DATABASE_URL": played.url}
    shown = tiebreak("replay", played.session, "--limit", "2", environ=environ)
    assert shown.returncode == 0
    lines = shown.stdout.splitlines()
    assert lines[0].startswith(f"A quiz: quiz session {played.session}, opened at 20")
    assert lines[1] == "after 24 answers, 6 participants on the board"
    first = played.board(played.log)[0]
    assert lines[2].split(maxsplit=2) == [str(first.rank), str(first.score), first.name]
    assert lines[4:] == ["and 4 more"]

    last, _ = played.log[9]
    found = json.loads(tiebreak("replay", played.session, "--until", str(last.id), "--json", environ=environ).stdout)
    assert [row["score"] for row in found["rows"]] == [row.score for row in played.board(played.log[:10])]
    assert (found["answers"], found["quiz_session_id"]) == (10, played.session)

    for moment, answers in (("1970-01-01", 0), ("0", 0), ("2999-01-01T00:00+02:00", 24)):
        at = json.loads(tiebreak("replay", played.session, "--at", moment, "--json", environ=environ).stdout)
        assert (at["answers"], bool(at["rows"])) == (answers, answers > 0)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["SESSION", "--at", "yesterday"], 2, "is no time"),
        (["SESSION", "--until", "3"], 2, "is not an id"),
        (["SESSION", "--until", "019aaf3e-9a6b-7cc0-8a35-0242ac120002"], 1, "has no answer"),
        (["SESSION", "--limit", "0"], 2, "at least 1"),
        (["SESSION", "--at", "0", "--until", "019aaf3e-9a6b-7cc0-8a35-0242ac120002"], 2, "not allowed with"),
        (["019aaf3e-9a6b-7cc0-8a35-0242ac120002"], 1, "There is no quiz session"),
        (["1234567"], 1, "There is no quiz session"),
    ],
)
async def test_what_cannot_be_replayed(played, arguments, status, message):
    """Said in a sentence, without a traceback."""
    given = [played.session if argument == "SESSION" else argument for argument in arguments]
    result = tiebreak("replay", *given, environ={"TIEBREAK_DATABASE_URL": played.url})
    assert (result.returncode, result.stdout) == (status, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


async def test_answer_of_another_session(played):
    """It is in a log, but not in this one."""
    other = await Scene.set(played.pool)
    recorded = await other.answer((await other.player())[0], 0, answer_id=new_id())
    result = tiebreak(
        "replay", played.session, "--until", str(recorded.id), environ={"TIEBREAK_DATABASE_URL": played.url}
    )
    assert result.returncode == 1
    assert f"has no answer {recorded.id}" in result.stderr


async def test_live_session(database_url):
    """Answers are on the board from when their question was shut; equal points share a place."""
    async with opened_pool(database_url) as pool:
        scene = await LiveScene.set(pool)
        (ann, _), (bob, removed) = await scene.player("Ann"), await scene.player("Bob")
        session = str(scene.session_id)
        await scene.ask(0)
        first = [await scene.give(ann, 0, after_ms=1_000), await scene.give(bob, 0, after_ms=9_000)]
        assert (await replay(database_url, session)).rows == []
        await scene.shut(0, at_ms=20_000)
        await scene.ask(1, opens_ms=30_000)
        second = await scene.give(bob, 1, after_ms=31_000, opens_ms=30_000)

        async def ranks(**when) -> list[tuple[int, str, int]]:
            board = await replay(database_url, session, **when)
            return [(row.rank, row.name, row.score) for row in board.rows]

        level = [(1, "Bob", 100), (1, "Ann", 100)]
        assert await ranks() == level
        assert await ranks(at_ms=scene.at(19_999)) == []
        assert await ranks(at_ms=scene.at(20_000)) == level
        assert await ranks(until=first[1].id) == []
        assert await ranks(until=second.id) == level
        await scene.shut(1, at_ms=40_000)
        assert await ranks() == [(1, "Bob", 200), (2, "Ann", 100)]
        assert await ranks(at_ms=scene.at(39_999)) == level
        assert await ranks(until=second.id) == level
        await scene.remove(removed.id)
        assert await ranks() == await ranks(at_ms=scene.at(30_000)) == [(1, "Ann", 100)]
