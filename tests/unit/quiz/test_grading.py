"""What counts as right, wrong, or no answer at all."""

import math
from decimal import Decimal
from fractions import Fraction
from itertools import permutations

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.quiz.questions import MARKED, questions, submissions_to
from tiebreak.quiz.grading import RIGHT, WRONG, Grade, fold, grade, words_of
from tiebreak.quiz.model import (
    MAX_NUMBER,
    ChoiceQuestion,
    InfoSlide,
    MultiChoiceQuestion,
    NumericQuestion,
    OrderQuestion,
    PollQuestion,
    Submission,
    TrueFalseQuestion,
    TypedQuestion,
    WordCloudQuestion,
)

CHOICE = ChoiceQuestion(prompt="?", choices=["a", "b", "c"], answer=1)
MULTI = MultiChoiceQuestion(prompt="?", choices=["a", "b", "c"], answer=[2, 0])
TRUE_FALSE = TrueFalseQuestion(prompt="?", answer=True)
TYPED = TypedQuestion(prompt="?", answer=["Straße", "the  Road"])
ORDER = OrderQuestion(prompt="?", choices=["b", "c", "a"], answer=[2, 0, 1])
NUMERIC = NumericQuestion(prompt="?", answer=0.1, tolerance=0.3)
POLL = PollQuestion(prompt="?", choices=["a", "b"])
CLOUD = WordCloudQuestion(prompt="?")
INFO = InfoSlide(prompt="!")


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
        (CHOICE, 1.0, None),
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
        (ORDER, [2, 0, 1], True),
        (ORDER, [0, 1, 2], False),
        (ORDER, [2, 0], None),
        (ORDER, [2, 0, 0], None),
        (ORDER, [2, 0, 3], None),
        (ORDER, [], None),
        (ORDER, 2, None),
        (NUMERIC, 0.4, True),
        (NUMERIC, 0, True),
        (NUMERIC, -0.2, True),
        (NUMERIC, 0.4000000000000001, False),
        (NUMERIC, -0.21, False),
        (NUMERIC, -MAX_NUMBER, False),
        (NUMERIC, MAX_NUMBER + 1, None),
        (NUMERIC, 10**300, None),
        (NUMERIC, 1e300, None),
        (NUMERIC, math.inf, None),
        (NUMERIC, math.nan, None),
        (NUMERIC, True, None),
        (NUMERIC, "0.2", None),
        (POLL, 1, True),
        (POLL, 2, None),
        (POLL, True, None),
        (POLL, "a", None),
        (CLOUD, " so  good ", True),
        (CLOUD, "x" * 40, True),
        (CLOUD, "x" * 41, None),
        (CLOUD, " ", None),
        (CLOUD, "a\0b", None),
        (CLOUD, "\ud800", None),
        (CLOUD, 1, None),
        (INFO, True, None),
        (INFO, "", None),
    ],
)
def test_grade(question, submission, expected):
    """Right and wrong are told apart from what is no answer to the question's type."""
    graded = grade(question, submission)
    assert (graded.correct if graded else None) is expected


@pytest.mark.parametrize(
    ("right", "wrong", "picked", "share"),
    [
        (2, 2, "r", 500),
        (2, 2, "rrw", 500),
        (2, 2, "rw", 0),
        (2, 2, "rrww", 0),
        (2, 2, "w", 0),
        (2, 2, "", 0),
        (3, 1, "r", 333),
        (3, 1, "rr", 666),
        (3, 1, "rrrw", 0),
        (1, 3, "rw", 666),
        (3, 0, "rr", 666),
        (3, 0, "", 0),
    ],
)
def test_share_of_several_choices(right, wrong, picked, share):
    """The part of the right ones less the part of the wrong ones: everything picked is worth nothing."""
    choices = [f"right {at}" for at in range(right)] + [f"wrong {at}" for at in range(wrong)]
    question = MultiChoiceQuestion(prompt="?", choices=choices, answer=[*range(right)])
    submission = [*range(picked.count("r")), *range(right, right + picked.count("w"))]
    assert grade(question, submission) == Grade(correct=False, share=share)


@pytest.mark.parametrize(
    ("ordered", "share"),
    [("abcd", 1000), ("bacd", 666), ("badc", 333), ("dabc", 0), ("bcda", 0), ("acdb", 333), ("dcba", 0)],
)
def test_share_of_an_order(ordered, share):
    """Pairs in order less pairs out of order: two neighbours swapped cost a third of four items."""
    question = OrderQuestion(prompt="?", choices=["c", "a", "d", "b"], answer=[1, 3, 0, 2])
    submission = [question.choices.index(item) for item in ordered]
    assert grade(question, submission) == Grade(correct=share == 1000, share=share)


@pytest.mark.parametrize("count", range(2, 7))
def test_an_order_by_chance_earns_as_much_as_it_loses(count):
    """Before it is cut off at nothing, the share of all orders together is none: Kendall's tau."""
    question = OrderQuestion(prompt="?", choices=[str(it) for it in range(count)], answer=[*range(count)])
    shares = {order: grade(question, [*order]) for order in permutations(range(count))}
    assert [order for order, graded in shares.items() if graded == RIGHT] == [tuple(range(count))]
    for order, graded in shares.items():
        backwards = shares[order[::-1]]
        assert graded is not None
        assert backwards is not None
        assert graded.share == 0 or backwards.share == 0


@given(st.data())
def test_whole_share_is_right(data):
    """Who is right has all of it, who is not has less; what every type takes is graded, whatever it is."""
    question = data.draw(questions())
    graded = grade(question, data.draw(submissions_to(question)))
    assert graded is not None
    assert 0 <= graded.share <= 1000
    assert graded.correct == (graded.share == 1000)


JSON = st.booleans() | st.floats() | st.integers() | st.text() | st.lists(st.integers(-1, 9) | st.floats())


@given(questions(), JSON)
def test_whatever_is_sent_is_graded_or_none(question, sent):
    """Nothing that JSON can bring makes it fail."""
    try:
        submission = msgspec.convert(sent, Submission)
    except (msgspec.ValidationError, TypeError):
        return
    assert grade(question, submission) in (None, RIGHT, WRONG) or isinstance(question, MARKED)


NUMBERS = st.integers(-MAX_NUMBER, MAX_NUMBER) | st.floats(-MAX_NUMBER, MAX_NUMBER)


@given(NUMBERS, NUMBERS, NUMBERS.map(abs))
@example(0.1, 0.4, 0.3)
@example(0.3, 0.4, 0.1)
@example(1e15, 5e-324, 999_999_999_999_999.9)
@example(5e-324, 0, 0)
def test_numbers_are_compared_as_they_are_written(answer, given_number, tolerance):
    """In decimals and exactly, not in binary: however far apart the two are."""
    question = NumericQuestion(prompt="?", answer=answer, tolerance=tolerance)
    distance = abs(Fraction(Decimal(str(answer))) - Fraction(Decimal(str(given_number))))
    assert grade(question, given_number) == (RIGHT if distance <= Fraction(Decimal(str(tolerance))) else WRONG)


def test_words_of_a_cloud_are_shown_clean():
    """Without what would turn or break the line they stand in."""
    assert words_of("  so\u202e \n good") == "so good"


def test_fold_joins_what_looks_the_same():
    """Composed and decomposed letters, wide and narrow forms compare equal."""
    assert fold("Cafe\u0301") == fold("café") == fold("ＣＡＦÉ")
