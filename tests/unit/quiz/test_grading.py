"""What counts as right, wrong, or no answer at all."""

import pytest

from tiebreak.quiz.grading import fold, grade
from tiebreak.quiz.model import ChoiceQuestion, MultiChoiceQuestion, TrueFalseQuestion, TypedQuestion

CHOICE = ChoiceQuestion(prompt="?", choices=["a", "b", "c"], answer=1)
MULTI = MultiChoiceQuestion(prompt="?", choices=["a", "b", "c"], answer=[2, 0])
TRUE_FALSE = TrueFalseQuestion(prompt="?", answer=True)
TYPED = TypedQuestion(prompt="?", answer=["Straße", "the  Road"])


@pytest.mark.parametrize(
    ("question", "submission", "expected"),
    [
        (CHOICE, 1, True),
        (CHOICE, 0, False),
        (CHOICE, 3, None),
        (CHOICE, -1, None),
        (CHOICE, 10**30, None),
        (CHOICE, True, None),
        (CHOICE, "1", None),
        (CHOICE, [1], None),
        (MULTI, [0, 2], True),
        (MULTI, [2, 0], True),
        (MULTI, [0], False),
        (MULTI, [], False),
        (MULTI, [0, 1, 2], False),
        (MULTI, [0, 0, 2], None),
        (MULTI, [0, 3], None),
        (MULTI, 0, None),
        (TRUE_FALSE, True, True),
        (TRUE_FALSE, False, False),
        (TRUE_FALSE, 1, None),
        (TRUE_FALSE, "true", None),
        (TYPED, "strasse", True),
        (TYPED, "  THE road ", True),
        (TYPED, "the\troad", True),
        (TYPED, "road", False),
        (TYPED, "", False),
        (TYPED, "x" * 501, None),
        (TYPED, "a\0b", None),
        (TYPED, 1, None),
    ],
)
def test_grade(question, submission, expected):
    """Right and wrong are told apart from what is no answer to the question's type."""
    assert grade(question, submission) is expected


def test_fold_joins_what_looks_the_same():
    """Composed and decomposed letters, wide and narrow forms compare equal."""
    assert fold("Cafe\u0301") == fold("café") == fold("ＣＡＦÉ")
