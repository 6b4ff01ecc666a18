"""Quizzes and sessions: frozen at the opening, joined once."""

import asyncio

import pytest

from tests.scene import Scene, new_user, opened_pool, quiz_of
from tiebreak.database import quiz_sessions
from tiebreak.database.quiz_sessions import (
    Participant,
    count_sessions,
    finish_session,
    load_session,
    open_session,
    session_by_pin,
    session_questions,
)
from tiebreak.database.quizzes import create_quiz, delete_quiz, load_quiz, quizzes_of, replace_quiz
from tiebreak.errors import Refusal
from tiebreak.ids import new_id
from tiebreak.quiz.model import (
    ChoiceQuestion,
    ImageId,
    InfoSlide,
    MultiChoiceQuestion,
    NumericQuestion,
    OrderQuestion,
    PollQuestion,
    QuestionImage,
    Quiz,
    TrueFalseQuestion,
    TypedQuestion,
    WordCloudQuestion,
)
from tiebreak.quiz.ranking import opened_at_ms


async def test_quiz_comes_back_as_it_was_stored(database_url):
    """All types with their keys, points and limits, in order; numbers as they were written."""
    image = QuestionImage(image_id=ImageId(new_id()), alt="A tree in blossom")
    quiz = Quiz(
        title="Títle 🎉",
        language="pt",
        questions=[
            ChoiceQuestion(prompt="1", choices=["a", "b"], answer=1),
            MultiChoiceQuestion(prompt="2", choices=["a", "b", "c"], answer=[0, 2], points=150),
            TrueFalseQuestion(prompt="3", answer=False, time_limit_ms=20_000),
            TypedQuestion(prompt="4", answer=["x", "y"], points=0),
            OrderQuestion(prompt="5", choices=["b", "a"], answer=[1, 0], explanation="By the alphabet"),
            NumericQuestion(prompt="6", answer=0.1, tolerance=1e-9),
            NumericQuestion(prompt="7", answer=-(10**15)),
            PollQuestion(prompt="8", choices=["a", "b"], image=image),
            WordCloudQuestion(prompt="9"),
            InfoSlide(prompt="10", image=image),
        ],
    )
    async with opened_pool(database_url) as pool:
        owner = await new_user(pool)
        quiz_id, question_ids = await create_quiz(pool, owner, quiz)
        stored = await load_quiz(pool, quiz_id)
        assert stored
        assert (stored.title, stored.language) == ("Títle 🎉", "pt")
        assert [it.question for it in stored.questions] == quiz.questions
        assert [it.id for it in stored.questions] == question_ids
        assert [(it.id, it.question_count) for it in await quizzes_of(pool, owner)] == [(quiz_id, 10)]


async def test_session_keeps_its_questions_when_the_quiz_changes(database_url):
    """An edit, even the quiz's removal, does not reach a session under way; unused questions go."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        frozen = await session_questions(pool, scene.session_id)
        await replace_quiz(pool, scene.host_id, scene.quiz_id, quiz_of([1]))
        await replace_quiz(pool, scene.host_id, scene.quiz_id, quiz_of([2]))
        assert await session_questions(pool, scene.session_id) == frozen
        assert await pool.fetchval("SELECT count(*) FROM questions") == 4
        await delete_quiz(pool, scene.quiz_id)
        assert await session_questions(pool, scene.session_id) == frozen
        assert await pool.fetchval("SELECT count(*) FROM questions") == 3
        session = await load_session(pool, scene.session_id)
        assert session
        assert session.title == "A quiz"
        [counts] = await count_sessions(pool, [session])
        assert (counts.question_count, counts.participant_count, counts.answer_count) == (3, 0, 0)


async def test_session_opens_at_the_moment_in_its_id(database_url):
    """The database and the log agree on when it began."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        session = await load_session(pool, scene.session_id)
        assert session
        assert round(session.opened_at.timestamp() * 1000) == opened_at_ms(scene.session_id)


async def test_user_joins_once(database_url):
    """Ten requests at once: one place, nine refusals."""
    async with opened_pool(database_url, size=10) as pool:
        scene = await Scene.set(pool)
        user = await new_user(pool, "Ann")
        outcomes = await asyncio.gather(*(scene.join(user) for _ in range(10)))
        assert [it.name for it in outcomes if isinstance(it, Participant)] == ["Ann"]
        assert outcomes.count(Refusal.ALREADY_JOINED) == 9


async def test_joins_that_are_refused(database_url):
    """No such session, a finished one, a user that does not exist."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        user = await new_user(pool)
        assert await scene.join(user, session_id=new_id()) is Refusal.SESSION_NOT_FOUND_FOR_JOIN
        assert await scene.join(new_id(), "A") is Refusal.USER_UNKNOWN
        assert await scene.join(new_id()) is Refusal.USER_UNKNOWN
        await finish_session(pool, scene.session_id)
        assert await scene.join(user) is Refusal.SESSION_FINISHED


async def test_pin_is_free_again_after_the_end(database_url, monkeypatch: pytest.MonkeyPatch):
    """Open sessions never share a PIN; a taken one is drawn anew."""
    pins = iter(["111111", "111111", "222222", "111111"])
    monkeypatch.setattr(quiz_sessions, "new_pin", lambda: next(pins))
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)

        async def again():
            return await open_session(pool, scene.host_id, scene.quiz_id)

        second = await again()
        assert second
        assert second[1] == "222222"
        assert await session_by_pin(pool, "111111") == scene.session_id
        await finish_session(pool, scene.session_id)
        third = await again()
        assert third
        assert await session_by_pin(pool, "111111") == third[0]
