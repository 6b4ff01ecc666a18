"""Frozen questions: read once, kept while the session runs, and never wrong."""

import asyncio

import pytest

from tests.scene import Scene, opened_pool
from tiebreak.app_server import frozen_questions
from tiebreak.app_server.frozen_questions import FrozenQuestions, Questions
from tiebreak.ids import new_id


class Watched(FrozenQuestions):
    """Counts how often it reads."""

    loads = 0

    async def _load(self, quiz_session_id) -> Questions:
        self.loads += 1
        return await super()._load(quiz_session_id)


async def test_asked_for_by_a_whole_room_they_are_read_once(database_url):
    """At once, and ever after; then they are at hand."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        questions = Watched(pool)
        assert questions.at_hand(scene.session_id) is None
        found = await asyncio.gather(*(questions.of(scene.session_id) for _ in range(50)))
        assert [list(one) for one in found] == [scene.question_ids] * 50
        assert questions.at_hand(scene.session_id) == await questions.of(scene.session_id) == found[0]
        assert questions.loads == 1


async def test_session_that_is_not_there_yet_is_not_remembered(database_url):
    """Who guesses an id before its session opens does not make it empty."""
    async with opened_pool(database_url) as pool:
        questions, nobodys = Watched(pool), new_id()
        assert (await questions.of(nobodys), await questions.of(nobodys)) == ({}, {})
        assert (questions.at_hand(nobodys), questions.loads) == (None, 2)


async def test_ended_session_is_forgotten_and_read_again_when_asked_for(database_url):
    """A late answer is still told why it is refused."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        questions = Watched(pool)
        await questions.of(scene.session_id)
        questions.forget(scene.session_id)
        questions.forget(scene.session_id)
        assert questions.at_hand(scene.session_id) is None
        assert list(await questions.of(scene.session_id)) == scene.question_ids
        assert questions.loads == 2


async def test_those_used_longest_ago_make_room(database_url, monkeypatch):
    """The one that is being played stays."""
    monkeypatch.setattr(frozen_questions, "MAX_SESSIONS", 2)
    async with opened_pool(database_url) as pool:
        played, idle, new = await Scene.set(pool), await Scene.set(pool), await Scene.set(pool)
        questions = Watched(pool)
        for scene in (played, idle):
            await questions.of(scene.session_id)
        assert questions.at_hand(played.session_id)
        await questions.of(new.session_id)
        assert questions.at_hand(played.session_id)
        assert questions.at_hand(new.session_id)
        assert questions.at_hand(idle.session_id) is None


async def test_who_gives_up_waiting_leaves_the_others_their_questions(database_url):
    """The first who asks reads for all."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        questions = Watched(pool)
        first, second = (asyncio.create_task(questions.of(scene.session_id)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert list(await second) == scene.question_ids
        assert questions.loads == 1


async def test_failed_read_is_not_remembered(database_url):
    """The next one who asks reads again."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        questions = Watched(pool)
        await pool.execute("ALTER TABLE quiz_session_questions RENAME TO away")
        with pytest.raises(Exception, match="quiz_session_questions"):
            await questions.of(scene.session_id)
        await pool.execute("ALTER TABLE away RENAME TO quiz_session_questions")
        assert list(await questions.of(scene.session_id)) == scene.question_ids
