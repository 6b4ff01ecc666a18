"""Answers to live questions, as an app server takes them: scored by the window that their question has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from tests.live_scene import LIMIT_MS, LiveScene
from tests.scene import Scene, opened_pool
from tests.standing_clock import StandingClock
from tiebreak.app_server import plays as plays_module
from tiebreak.app_server.commands import Answers, Outcome
from tiebreak.app_server.frozen_questions import FrozenQuestions
from tiebreak.app_server.plays import Play, Plays, Window
from tiebreak.cache.call_limits import CallLimit
from tiebreak.clock import SystemClock
from tiebreak.database.pool import Pool
from tiebreak.errors import Refusal
from tiebreak.ids import new_id
from tiebreak.metrics import AppServerMetrics
from tiebreak.quiz.model import PollQuestion, QuestionId, Quiz, QuizSessionId, TrueFalseQuestion, UserId
from tiebreak.quiz.options import Options
from tiebreak.socket_adapter.messages import UpdateScore

POINTS = 10_000
# Scored by time alone.
SPEED = Options(scoring="speed")


class Watched(Plays):
    """Counts how often it reads a window."""

    loads = 0

    async def _load_window(self, quiz_session_id, play: Play, question_id) -> Window | None:
        self.loads += 1
        return await super()._load_window(quiz_session_id, play, question_id)


class Stale(Plays):
    """Reads windows as they were a minute ago."""

    async def _load_window(self, quiz_session_id, play: Play, question_id) -> Window | None:
        found = await super()._load_window(quiz_session_id, play, question_id)
        play.window = None
        return Window(question_id, found.opens_at_ms - 60_000, {}, {}) if found else None


class Heard:
    """Ticks, the nudge, and who hears of live answers, in one."""

    def __init__(self) -> None:
        self.nudges = 0
        self.changes: list[QuizSessionId] = []
        self.live: list[QuizSessionId] = []

    def answered(self, *change: Any) -> None:
        if change:
            self.changes.append(change[0])
        else:
            self.nudges += 1


class Stage:
    """An app server's answers in a live session. Moments are milliseconds into the session."""

    def __init__(self, scene: LiveScene, *, kind: type[Plays] = Watched, credit_ms: int = 0) -> None:
        self.scene = scene
        self.heard = Heard()
        self.clock = StandingClock(scene.at(0))
        questions = FrozenQuestions(scene.pool)
        self.plays = kind(scene.pool, questions, self.clock.now_ms, credit_ms=lambda _: credit_ms)
        nothing: Any = self.heard
        self.answers = Answers(
            scene.pool,
            self.plays,
            nothing,
            nothing,
            SystemClock(),
            AppServerMetrics(CollectorRegistry()),
            CallLimit(SystemClock(), name="answers", per_minute=1_000),
            longest_queue=1_000,
            on_live_answer=self.heard.live.append,
        )

    def at(self, ms: int) -> None:
        """It is so late in the session."""
        self.clock.advance(seconds=(self.scene.at(ms) - self.clock.now_ms()) / 1000)

    async def answer(self, user: UserId, question: int, answer: Any = True, *, answer_id=None) -> Outcome | Refusal:
        command = UpdateScore(self.scene.session_id, self.scene.question_ids[question], answer, answer_id)
        return await self.answers.submit(user, command)

    async def begin(self, user: UserId, question: int) -> str | Outcome | Refusal:
        """By the lane's way; "unknown" if it could not be gone."""
        command = UpdateScore(self.scene.session_id, self.scene.question_ids[question], True)
        outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        begun = self.answers.begin(user, command, outcome.set_result, 0)
        return await outcome if begun == "waiting" else begun

    async def scores(self, question: int) -> Sequence[int]:
        """In the ledger, in the order in which they came."""
        rows = await self.scene.pool.fetch(
            "SELECT score FROM participant_answers WHERE question_id = $1 ORDER BY answered_at, id",
            self.scene.question_ids[question],
        )
        return [row["score"] for row in rows]


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with opened_pool(database_url) as pool:
        yield pool


def is_taken(outcome: str | Outcome | Refusal) -> bool:
    """And says nothing of right and wrong."""
    return isinstance(outcome, Outcome) and (outcome.correct, outcome.score, outcome.receipt) == (None, None, None)


async def test_nobody_is_told_whether_it_was_right(pool: Pool):
    """Neither who answered, nor the room, nor the publisher workers: only that there is one answer more."""
    scene = await LiveScene.set(pool)
    stage = Stage(scene)
    user, _ = await scene.player()
    await scene.ask(0)
    stage.at(1_500)
    answer_id = new_id()
    assert is_taken(await stage.answer(user, 0, answer_id=answer_id))
    assert is_taken(await stage.answer(user, 0, answer_id=answer_id))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (stage.heard.changes, stage.heard.nudges, stage.heard.live) == ([], 0, [scene.session_id])
    await scene.shut(0)
    again = await stage.answer(user, 0, answer_id=answer_id)
    assert isinstance(again, Outcome)
    assert (again.correct, again.score) == (None, None)
    assert again.receipt


async def test_self_paced_answers_are_told_as_ever(pool: Pool):
    """With score, receipt, the room's change and a nudge."""
    scene = await LiveScene.set(pool)
    stage = Stage(scene)
    other = await Scene.set(pool)
    user, _ = await other.player()
    outcome = await stage.answers.submit(user, UpdateScore(other.session_id, other.question_ids[0], True))
    assert isinstance(outcome, Outcome)
    assert (outcome.correct, outcome.score) == (True, 100)
    assert outcome.receipt
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (stage.heard.changes, stage.heard.nudges, stage.heard.live) == ([other.session_id], 1, [])


async def test_lane_takes_answers_to_the_question_at_hand(pool: Pool):
    """The first one reads the window, for all; another question's is another window."""
    scene = await LiveScene.set(pool)
    stage = Stage(scene)
    users = [(await scene.player())[0] for _ in range(12)]
    await scene.ask(0)
    stage.at(1_500)
    assert await stage.begin(users[0], 0) == "unknown"
    assert all(map(is_taken, await asyncio.gather(*(stage.answer(user, 0) for user in users[:10]))))
    assert is_taken(await stage.begin(users[10], 0))
    assert await stage.begin(users[11], 1) == "unknown"
    assert stage.plays.loads == 1
    assert len(await stage.scores(0)) == 11


async def test_time_counts_from_the_opening(pool: Pool):
    """Half the time is a quarter of the points."""
    scene = await LiveScene.set(pool, [POINTS], SPEED)
    stage = Stage(scene)
    await scene.ask(0)
    for ms in (1_400, 1_000 + LIMIT_MS // 2, LIMIT_MS):
        stage.at(ms)
        assert is_taken(await stage.answer((await scene.player())[0], 0))
    assert await stage.scores(0) == [POINTS, POINTS * 3 // 4, 5_250]


@pytest.mark.parametrize(
    ("credit_ms", "option", "expected"),
    [
        (0, True, 7_500),
        (30, True, 7_508),
        (75, True, 7_519),
        (90_000, True, 7_519),
        (-5, True, 7_500),
        (75, False, 7_500),
    ],
)
async def test_latency_credit_is_bounded(pool: Pool, credit_ms: int, option: bool, expected: int):
    """Whatever was measured: 75 ms at most, never against the player, and only if the host wants it."""
    scene = await LiveScene.set(pool, [POINTS], Options(latency_credit=option))
    stage = Stage(scene, credit_ms=credit_ms)
    await scene.ask(0)
    stage.at(1_000 + LIMIT_MS // 2)
    assert is_taken(await stage.answer((await scene.player())[0], 0))
    assert await stage.scores(0) == [expected]


async def test_extra_time_is_part_of_the_time_there_was(pool: Pool):
    """Who has twice the time earns for half of it what others earn for half of theirs."""
    scene = await LiveScene.set(pool, [POINTS], SPEED)
    stage = Stage(scene)
    user, participant = await scene.player()
    await pool.execute("UPDATE quiz_session_participants SET extra_time_percent = 100 WHERE id = $1", participant.id)
    await scene.ask(0)
    stage.at(1_000 + LIMIT_MS)
    assert is_taken(await stage.answer(user, 0))
    assert await stage.answer((await scene.player())[0], 0) is Refusal.QUESTION_CLOSED
    assert await stage.scores(0) == [POINTS * 3 // 4]


async def test_answers_to_a_window_that_moved_are_scored_anew(pool: Pool):
    """After a pause the clock counts from later: one reading for all who answer at once, each answer once."""
    scene = await LiveScene.set(pool, [POINTS], SPEED)
    stage = Stage(scene)
    users = [(await scene.player())[0] for _ in range(20)]
    await scene.ask(0)
    stage.at(2_000)
    assert is_taken(await stage.answer(users[0], 0))
    await scene.ask(0, opens_ms=61_000)
    stage.at(62_000)
    outcomes = await asyncio.gather(*(stage.answer(user, 0, answer_id=new_id()) for user in users[1:]))
    assert all(map(is_taken, outcomes))
    assert await stage.scores(0) == [9_750] * 20
    # Two batches may have been under way at once.
    assert stage.plays.loads <= 3
    assert is_taken(await stage.begin((await scene.player())[0], 0))


async def test_window_that_moves_on_and_on(pool: Pool):
    """Once more, then the client is asked to come back; nothing was recorded."""
    scene = await LiveScene.set(pool)
    stage = Stage(scene, kind=Stale)
    await scene.ask(0, opens_ms=61_000)
    stage.at(62_000)
    assert await stage.answer((await scene.player())[0], 0) is Refusal.BUSY
    assert await stage.scores(0) == []


async def test_refusals(pool: Pool):
    """Each with its reason, and nothing of it is remembered against the question."""
    scene = await LiveScene.set(pool)
    stage = Stage(scene)
    user, _ = await scene.player()
    stage.at(1_500)
    assert await stage.answer(user, 0) is Refusal.QUESTION_NOT_OPEN
    assert await stage.answer(user, 0, "x") is Refusal.ANSWER_INVALID
    assert await stage.answer(UserId(new_id()), 0) is Refusal.NOT_JOINED
    assert (
        await stage.answers.submit(user, UpdateScore(scene.session_id, QuestionId(new_id()), True))
        is Refusal.QUESTION_NOT_IN_QUIZ
    )
    await scene.ask(0)
    assert is_taken(await stage.answer(user, 0))
    assert await stage.answer(user, 0) is Refusal.QUESTION_ALREADY_ANSWERED
    late, _ = await scene.player()
    await scene.shut(0, at_ms=1_500)
    assert await stage.answer(late, 0) is Refusal.QUESTION_CLOSED


async def test_streaks(pool: Pool):
    """Right answers in a row: a wrong one and a missing one end it, a poll and a question nobody was asked do not."""
    questions = [TrueFalseQuestion(prompt=f"Question {at}", answer=True) for at in range(5)]
    poll = PollQuestion(prompt="Which?", choices=["a", "b"])
    quiz = Quiz(title="A quiz", questions=[*questions[:2], poll, *questions[2:]])
    scene = await LiveScene.set(pool, options=Options(scoring="accuracy", streak_bonus=True), quiz=quiz)
    stage = Stage(scene)
    names = {
        "all": [True, True, True],
        "wrong": [True, True, False],
        "missed": [True, None, True],
        "late": [None, None, True],
    }
    users = {name: (await scene.player(name))[0] for name in names}
    stage.at(1_500)
    for number, question in enumerate((0, 1, 4)):
        await scene.ask(question)
        for name, given in names.items():
            if given[number] is not None:
                assert is_taken(await stage.answer(users[name], question, given[number]))
        if number == 1:
            await scene.shut(question)
            await scene.ask(2)
            assert is_taken(await stage.answer(users["all"], 2, 1))
            await scene.shut(2)
        else:
            await scene.shut(question)
    await scene.ask(5)
    for name in names:
        assert is_taken(await stage.answer(users[name], 5, True))
    rows = await pool.fetch(
        "SELECT p.name, a.score FROM participant_answers a JOIN quiz_session_participants p "
        "ON p.id = a.quiz_session_participant_id WHERE a.question_id = $1",
        scene.question_ids[5],
    )
    assert {row["name"]: row["score"] for row in rows} == {"all": 130, "wrong": 100, "missed": 110, "late": 110}


async def test_sessions_at_hand_are_few(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    """Those that came first are forgotten, and read again."""
    monkeypatch.setattr(plays_module, "MAX_SESSIONS", 1)
    scene = await LiveScene.set(pool)
    stage = Stage(scene)
    other = await Scene.set(pool)
    assert (await stage.plays.of(scene.session_id)).options is not None
    assert (await stage.plays.of(other.session_id)).options is None
    assert stage.plays.at_hand(scene.session_id) is None
    assert (await stage.plays.of(scene.session_id)).options is not None
    assert (await stage.plays.of(QuizSessionId(new_id()))).options is None
