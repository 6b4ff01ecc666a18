"""Steps of live games: each taken once, with its question's window and what follows from it, all or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.live_scene import LiveScene
from tests.scene import opened_pool
from tiebreak.database.answers import Recorded, standings
from tiebreak.database.live_games import (
    figures_of,
    games_to_do,
    have_all_answered,
    live_results,
    load_game,
    step_told,
    take_step,
    windows_of,
)
from tiebreak.database.quiz_sessions import load_session
from tiebreak.errors import Refusal
from tiebreak.quiz.live import Beat, Command, CommandName, Game, move_on, obey

SCRIPT = [Beat(20_000, True, True)] * 3


class Played(LiveScene):
    """A live session led by its steps alone."""

    async def game(self) -> Game:
        game = await load_game(self.pool, self.session_id)
        assert game
        return game

    async def take(self, before: Game, after: object, *, at: int) -> bool:
        assert isinstance(after, Game)
        return await take_step(self.pool, self.session_id, self.question_ids, before, after, self.at(at))

    async def lead(self, name: CommandName, *, at: int) -> None:
        game = await self.game()
        assert await self.take(game, obey(game, Command(name), SCRIPT, self.at(at)), at=at)

    async def go_on(self, *, at: int) -> None:
        """What is due, in the countdown or later."""
        game = await self.game()
        assert await self.take(game, move_on(game, SCRIPT, self.at(at)), at=at)


@pytest.fixture
async def scene(database_url: str) -> AsyncIterator[Played]:
    async with opened_pool(database_url) as pool:
        scene = await Played.set(pool)
        assert isinstance(scene, Played)
        yield scene


async def asked(scene: Played) -> None:
    """The first question takes answers from 4 s on."""
    await scene.lead("start", at=1_000)
    await scene.go_on(at=4_000)


async def test_of_many_takers_one_takes_a_step(scene: Played):
    """Ten clicks at once, on as many servers: one step."""
    game = await scene.game()
    after = obey(game, Command("start"), SCRIPT, scene.at(1_000))
    taken = await asyncio.gather(*(scene.take(game, after, at=1_000) for _ in range(10)))
    assert sum(taken) == 1
    assert await scene.game() == after


async def test_shutting_a_question_lets_its_answers_onto_the_board(scene: Played):
    """In the step's transaction; and who comes after it is told that it is closed."""
    user, _ = await scene.player()
    late, _ = await scene.player()
    await asked(scene)
    assert isinstance(await scene.give(user, 0, opens_ms=4_000, after_ms=5_000), Recorded)
    assert await standings(scene.pool, scene.session_id) == []
    await scene.lead("close", at=6_000)
    assert len(await standings(scene.pool, scene.session_id)) == 1
    assert await scene.pool.fetchval("SELECT count(*) FROM events WHERE shard = -1") == 0
    assert await scene.give(late, 0, opens_ms=4_000, after_ms=6_000) is Refusal.QUESTION_CLOSED


async def test_a_paused_question_is_closed_like_any_other(scene: Played):
    """Nobody can answer while it is paused; after its close late answers are told so, not that it is to come."""
    user, _ = await scene.player()
    await asked(scene)
    await scene.lead("pause", at=6_000)
    assert await scene.give(user, 0, opens_ms=4_000, after_ms=7_000) is Refusal.QUESTION_NOT_OPEN
    await scene.lead("close", at=8_000)
    assert await scene.give(user, 0, opens_ms=4_000, after_ms=9_000) is Refusal.QUESTION_CLOSED
    window = (await windows_of(scene.pool, scene.session_id))[scene.question_ids[0]]
    assert (window.opens_at_ms, window.shut_at_ms) == (scene.at(4_000), scene.at(8_000))


async def test_who_is_there_has_answered(scene: Played):
    """Only of players who are there; a room in which nobody plays has not answered."""
    ann, _ = await scene.player()
    ben, _ = await scene.player()
    await asked(scene)
    await scene.give(ann, 0, opens_ms=4_000, after_ms=5_000)

    async def answered(*there) -> bool:
        return await have_all_answered(scene.pool, scene.session_id, scene.question_ids[0], there)

    assert await answered(ann, scene.host_id)
    assert not await answered(ann, ben)
    assert not await answered(scene.host_id)
    assert not await answered()
    figures = await figures_of(scene.pool, scene.session_id, scene.question_ids[0])
    assert (figures.players, figures.answered) == (2, 1)


async def test_what_is_due_and_what_is_untold(scene: Played):
    """A game that waits for its host is neither; a step is untold until somebody says that the room was told."""
    assert (await games_to_do(scene.pool)).due == []
    await scene.lead("start", at=-10_000)
    to_do = await games_to_do(scene.pool)
    assert (to_do.due, to_do.untold) == ([scene.session_id], [scene.session_id])
    await step_told(scene.pool, scene.session_id, 1)
    assert (await games_to_do(scene.pool)).untold == []


async def test_results_of_players(scene: Played):
    """Places by points alone, streaks over the questions that were shut, and nobody has a place without an answer."""
    (ann, _), (ben, _), (cas, _), (dan, _) = [await scene.player() for _ in range(4)]
    await scene.ask(0)
    for user, correct, at in ((ann, True, 2_000), (ben, True, 9_000), (cas, False, 3_000)):
        await scene.give(user, 0, correct=correct, after_ms=at)
    await scene.shut(0)
    await scene.ask(1, opens_ms=30_000)
    for user, correct in ((ann, False), (ben, False), (cas, True)):
        await scene.give(user, 1, correct=correct, opens_ms=30_000, after_ms=31_000)
    await scene.shut(1, at_ms=40_000)
    results = await live_results(scene.pool, scene.session_id, scene.question_ids)
    assert {user: (it.score, it.rank, it.next_score, it.streak) for user, it in results.items()} == {
        ann: (100, 1, None, 0),
        ben: (100, 1, None, 0),
        cas: (100, 1, None, 1),
        dan: (0, None, None, 0),
    }


async def test_the_last_step_finishes_the_session(scene: Played):
    """The question under way is shut, and nothing leads back."""
    await asked(scene)
    await scene.lead("end", at=5_000)
    await scene.lead("next", at=6_000)
    session = await load_session(scene.pool, scene.session_id)
    assert session
    assert session.state == "finished"
    assert (await windows_of(scene.pool, scene.session_id))[scene.question_ids[0]].shut_at_ms == scene.at(5_000)
