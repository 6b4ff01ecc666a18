"""Live games are led on by whoever is there: what one app server left undone, the next one does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.live_scene import LiveScene
from tests.scene import opened_pool
from tests.standing_clock import StandingClock
from tiebreak.app_server.frozen_questions import FrozenQuestions
from tiebreak.app_server.live.conductor import POLL_SECONDS, Conductor
from tiebreak.app_server.live.game_clock import GameClock
from tiebreak.app_server.live.telling import Telling
from tiebreak.clock import SystemClock
from tiebreak.database.live_games import load_game
from tiebreak.errors import Refusal
from tiebreak.quiz.live import COUNTDOWN_MS, Command, Game


class Room:
    """What is told to it, if it can be told anything."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.is_there = True

    async def emit(self, messages: list[tuple[Any, Any]]) -> None:
        if not self.is_there:
            raise ConnectionError("Redis is gone")
        self.steps += [message.game.step for _, message in messages]

    def answered(self) -> None:
        """The nudge of publisher workers."""


class Server:
    """The conductor of one app server."""

    def __init__(self, scene: LiveScene, room: Room) -> None:
        self.scene = scene
        # By the machine's own clock: what is due is worked out by Postgres.
        self.clock = StandingClock(SystemClock().now_ms())
        self.game_clock = GameClock(self.clock)
        nothing: Any = room
        questions = FrozenQuestions(scene.pool)
        telling = Telling(scene.pool, questions, nothing, self.game_clock, self.clock)
        self.ended: list[Any] = []
        self.conductor = Conductor(
            scene.pool, questions, telling, nothing, self.game_clock, self.clock, self.session_ended
        )

    async def session_ended(self, quiz_session_id: Any) -> None:
        self.ended.append(quiz_session_id)

    async def command(self, name: Any, step: int | None = None) -> Game | Refusal:
        return await self.conductor.command(self.scene.session_id, Command(name), step)

    async def look(self, *, later: float = 0.0) -> float:
        """One look at all games, so many seconds later."""
        self.clock.advance(seconds=later)
        return await self.conductor._look()


@pytest.fixture
async def scene(database_url: str) -> AsyncIterator[LiveScene]:
    async with opened_pool(database_url) as pool:
        yield await LiveScene.set(pool)


async def game_of(scene: LiveScene) -> Game:
    game = await load_game(scene.pool, scene.session_id)
    assert game
    return game


async def overdue(scene: LiveScene) -> None:
    """What the game waits for should have come a while ago."""
    await scene.pool.execute(
        "UPDATE live_games SET due_at_ms = due_at_ms - 60000, "
        "state = jsonb_set(state, '{due_at_ms}', to_jsonb((state ->> 'due_at_ms')::bigint - 60000))"
    )


async def test_a_step_that_nobody_told_is_told_by_the_next_who_looks(scene: LiveScene):
    """Its taker lost Redis, or died; others leave it a moment to do so itself, and tell it once."""
    room = Room()
    taker, other = Server(scene, room), Server(scene, room)
    room.is_there = False
    started = await taker.command("start")
    assert isinstance(started, Game)
    room.is_there = True
    await other.look()
    assert room.steps == []
    await other.look(later=POLL_SECONDS)
    await other.look(later=POLL_SECONDS)
    assert room.steps == [started.step]


async def test_any_server_moves_a_game_on(scene: LiveScene):
    """The one that began it is gone; what is due happens once, however many look."""
    room = Room()
    await Server(scene, room).command("start")
    await overdue(scene)
    for server in (Server(scene, room), Server(scene, room)):
        await server.look()
    game = await game_of(scene)
    assert (game.phase, game.step) == ("question", 2)
    assert room.steps == [1, 2]


async def test_a_command_for_another_step_does_nothing(scene: LiveScene):
    """It is answered with the game as it is; a command that the phase does not know is refused."""
    server = Server(scene, Room())
    started = await server.command("start", 0)
    assert await server.command("start", 0) == started
    assert await server.command("start", 1) is Refusal.COMMAND_NOT_NOW


async def test_one_game_that_is_broken_does_not_hold_up_the_others(scene: LiveScene):
    """Nor does it end the app server."""
    room = Room()
    server = Server(scene, room)
    await server.command("start")
    other = await LiveScene.set(scene.pool)
    await Server(other, room).command("start")
    await overdue(scene)
    await scene.pool.execute(
        "UPDATE live_games SET state = jsonb_set(state, '{question}', '99') WHERE quiz_session_id = $1",
        scene.session_id,
    )
    assert await server.look() == POLL_SECONDS
    assert (await game_of(other)).phase == "question"


async def test_a_game_that_cannot_be_shown_does_not_end_the_server(scene: LiveScene):
    """Its row is from another release, say: it is left alone, and the others go on."""
    room = Room()
    server = Server(scene, room)
    room.is_there = False
    await server.command("start")
    room.is_there = True
    await scene.pool.execute('UPDATE live_games SET state = state || \'{"phase": "intermission"}\'::jsonb')
    for _ in range(3):
        await server.look(later=POLL_SECONDS)
    assert room.steps == []


async def test_a_game_that_ends_by_its_last_step_is_ended_like_any_session(scene: LiveScene):
    """And a request to finish it does so from wherever it stands."""
    server = Server(scene, Room())
    await server.command("start")
    await server.conductor.finish(scene.session_id)
    assert (await game_of(scene)).phase == "finished"
    assert server.ended == [scene.session_id]
    await server.conductor.finish(scene.session_id)


async def test_time_is_the_databases(scene: LiveScene):
    """A server whose clock is an hour late opens questions when the others would."""
    server = Server(scene, Room())
    server.clock.advance(seconds=-3_600)
    await server.look()
    started = await server.command("start")
    assert isinstance(started, Game)
    assert started.due_at_ms
    assert abs(started.due_at_ms - COUNTDOWN_MS - SystemClock().now_ms()) < 10_000
