"""The sample quizzes are quizzes, and show what there is."""

from __future__ import annotations

import msgspec
import pytest

from tiebreak.app_server.pictures import Picture, made_of
from tiebreak.ids import new_id
from tiebreak.quiz.model import Question, Quiz
from tiebreak.sample_content import FILES, QUIZZES


def parsed(name: str) -> Quiz:
    quiz = msgspec.json.decode(FILES.joinpath(name).read_bytes())
    for question in quiz["questions"]:
        if "image" in question:
            assert isinstance(made_of(FILES.joinpath(question["image"].pop("file")).read_bytes()), Picture)
            question["image"]["image_id"] = str(new_id())
    return msgspec.convert(quiz, Quiz)


@pytest.mark.parametrize("name", QUIZZES)
def test_each_can_be_stored(name):
    """With its images."""
    assert parsed(name).questions


def test_the_tour_has_one_of_every_type():
    """With an image, an explanation, and points of two sizes."""
    questions = parsed("live_tour.json").questions
    assert {type(it) for it in questions} == set(Question.__args__)  # type: ignore[attr-defined]
    assert any(it.image for it in questions)
    assert any(it.explanation for it in questions)
    assert {it.points for it in questions} == {100, 200}
