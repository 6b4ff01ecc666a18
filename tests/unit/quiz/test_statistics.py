"""What answers say of questions."""

import msgspec
import pytest

from tiebreak.quiz.answer_texts import answer_text, right_text
from tiebreak.quiz.model import Question
from tiebreak.quiz.statistics import QuestionStatistics, Share, Tally, hardest_first, statistics


def question(**fields: object) -> Question:
    return msgspec.convert({"prompt": "?", **fields}, Question)


CHOICE = question(type="choice", choices=["stone", "pear"], answer=1)
SEVERAL = question(type="multi_choice", choices=["1", "2", "3"], answer=[1, 2])
TRUTH = question(type="true_false", answer=False)
TYPED = question(type="typed", answer=["cold", "chilly"])
ORDER = question(type="order", choices=["b", "c", "a"], answer=[2, 0, 1])
NUMBER = question(type="numeric", answer=10.0, tolerance=0.5)
POLL = question(type="poll", choices=["tea", "coffee"])
CLOUD = question(type="word_cloud")


@pytest.mark.parametrize(
    ("asked", "answer", "text", "right"),
    [
        (CHOICE, 0, "stone", "pear"),
        (SEVERAL, [2, 0], "1; 3", "2; 3"),
        (TRUTH, True, "true", "false"),
        (TYPED, " Cold ", " Cold ", "cold; chilly"),
        (ORDER, [0, 2, 1], "b; a; c", "a; b; c"),
        (NUMBER, -3, "-3", "10 ± 0.5"),
        (NUMBER, 9.75, "9.75", "10 ± 0.5"),
        (POLL, 1, "coffee", None),
        (CLOUD, "Great fun", "Great fun", None),
    ],
)
def test_texts(asked, answer, text, right):
    """An answer and the key in words; several choices in the order shown."""
    assert (answer_text(asked, answer), right_text(asked)) == (text, right)


def test_choices_that_nobody_chose_are_there():
    """With the right one marked."""
    assert statistics(CHOICE, [Tally(0, 3, 0)]) == QuestionStatistics(
        3, 0, 0.0, [Share("stone", 3, False), Share("pear", 0, True)]
    )


def test_each_of_several_choices_is_counted():
    """Those who chose two are in two lines, and once in the number of answers."""
    figures = statistics(SEVERAL, [Tally([2, 1], 2, 2), Tally([1], 1, 0)])
    assert (figures.answered, figures.right) == (3, 2)
    assert [(it.count, it.right) for it in figures.distribution] == [(0, False), (3, True), (2, True)]


def test_true_and_false():
    """Both lines, true first."""
    assert statistics(TRUTH, [Tally(False, 1, 1)]).distribution == [Share("true", 0, False), Share("false", 1, True)]


def test_typed_answers_that_grading_holds_for_one():
    """Are one line, as most have written it; the ten most frequent are shown, and all count."""
    tallies = [Tally("COLD", 1, 1), Tally(" cold", 2, 2), *(Tally(f"wrong {at:02}", 1, 0) for at in range(12))]
    figures = statistics(TYPED, tallies)
    assert figures.distribution[0] == Share(" cold", 3, True)
    assert (figures.answered, len(figures.distribution)) == (15, 10)
    assert figures.distribution[1] == Share("wrong 00", 1, False)


def test_polls_and_clouds():
    """Nobody is right or wrong there."""
    assert statistics(POLL, [Tally(1, 3, 3)]) == QuestionStatistics(
        3, None, None, [Share("tea", 0, None), Share("coffee", 3, None)]
    )
    cloud = statistics(CLOUD, [Tally(f"word {at:02}", 1, 1) for at in range(60)])
    assert (cloud.answered, cloud.right, len(cloud.distribution)) == (60, None, 50)


def test_orders_and_numbers():
    """The most frequent ones; 10 and 10.0 are one number."""
    assert statistics(ORDER, [Tally([0, 1, 2], 1, 0), Tally([2, 0, 1], 2, 2)]).distribution == [
        Share("a; b; c", 2, True),
        Share("b; c; a", 1, False),
    ]
    assert statistics(NUMBER, [Tally(10, 1, 1), Tally(10.0, 1, 1), Tally(3, 1, 0)]).distribution == [
        Share("10", 2, True),
        Share("3", 1, False),
    ]


def test_hardest_first():
    """By the share of right answers, then by how many have tried; not what nobody answered."""
    figures = {
        1: statistics(CHOICE, [Tally(1, 4, 4)]),
        2: statistics(CHOICE, [Tally(0, 1, 0)]),
        3: statistics(CHOICE, []),
        4: statistics(CHOICE, [Tally(0, 2, 0)]),
        5: statistics(CHOICE, [Tally(0, 1, 0)]),
    }
    assert hardest_first(figures) == [4, 2, 5, 1]
