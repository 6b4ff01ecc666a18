"""The quiz of a load test, judged by the rules themselves."""

from __future__ import annotations

import msgspec
import pytest

from tiebreak.load_test.content import (
    ANSWERS_PER_PLAYER,
    HEAD_START,
    HEAD_START_POINTS,
    QUESTIONS,
    answer_to,
    points,
    quiz,
)
from tiebreak.quiz.grading import grade
from tiebreak.quiz.model import Quiz

PARSED = msgspec.convert(quiz(), Quiz)


@pytest.mark.parametrize("number", range(QUESTIONS))
def test_answers_are_what_they_are_meant_to_be(number):
    """A right answer is graded right, a wrong one wrong, and earns what is expected."""
    question = PARSED.questions[number]
    right, wrong = (grade(question, answer_to(number, right=right)) for right in (True, False))
    assert right is not None
    assert wrong is not None
    assert (right.correct, wrong.correct) == (True, False)
    assert question.points == points(number)


def test_nobody_overtakes_a_pacemaker():
    """All questions together are worth less than a pacemaker's first answer, and all of it fits on a board."""
    others = sum(points(number) for number in range(QUESTIONS) if number != HEAD_START)
    assert others < HEAD_START_POINTS
    assert others + HEAD_START_POINTS < 2_097_151
    assert len(PARSED.questions) - 1 == ANSWERS_PER_PLAYER


def test_every_right_answer_changes_a_total():
    """Otherwise a pacemaker's answer could not be seen."""
    assert all(points(number) > 0 for number in range(QUESTIONS))
