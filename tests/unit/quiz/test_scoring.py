"""Points: bounded, never more for being slower, and in `fair` never more than a right answer's."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise
from math import floor
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.quiz.questions import questions, submissions_to
from tiebreak.quiz.grading import RIGHT, WRONG, Grade, grade
from tiebreak.quiz.model import (
    MAX_POINTS,
    MAX_QUESTIONS,
    InfoSlide,
    MultiChoiceQuestion,
    OrderQuestion,
    PollQuestion,
    Question,
    TrueFalseQuestion,
    WordCloudQuestion,
)
from tiebreak.quiz.options import Options
from tiebreak.quiz.ranking import MS_SPAN
from tiebreak.quiz.scoring import FULL_POINTS_MS, POLICY_VERSION, Rules, earns, rules_of, score

PAGE = Path(__file__).parents[3] / "docs" / "scoring.md"

limits = st.integers(1_000, 3_600_000)
streaks = st.integers(0, 100)
options = st.builds(
    Options,
    scoring=st.sampled_from(["accuracy", "speed", "fair"]),
    streak_bonus=st.booleans(),
    partial_credit=st.booleans(),
)
quizzes = st.lists(questions(), min_size=1, max_size=12)
shares = st.integers(0, 1_000).map(lambda share: Grade(correct=share == 1_000, share=share))


def worth(*points: int) -> list[Question]:
    return [TrueFalseQuestion(prompt="?", answer=True, points=it) for it in points]


def rows_under(heading: str) -> list[list[str]]:
    """The table below a heading of docs/scoring.md, without its head."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n### {heading}\n")[1].split("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def most(rules: Rules, question: Question) -> int:
    """What the best answer to it earns."""
    return rules.score(question, RIGHT, taken_ms=0, limit_ms=1_000, streak=MAX_QUESTIONS)


@given(options, quizzes, st.data())
def test_points_are_bounded(chosen, quiz, data):
    """From 0 to half as much again as the points, in `fair` to less than twice; a right one at least half of them."""
    rules, question = rules_of(chosen, quiz), data.draw(st.sampled_from(quiz))
    graded, limit_ms = data.draw(shares), data.draw(limits)
    taken_ms, streak = data.draw(st.integers(-1_000, 2 * limit_ms)), data.draw(streaks)
    earned = rules.score(question, graded, taken_ms=taken_ms, limit_ms=limit_ms, streak=streak)
    assert 0 <= 2 * earned <= (4 if chosen.scoring == "fair" else 3) * question.points
    if graded.correct and earns(question):
        assert 2 * earned >= question.points
        assert earned >= question.points or chosen.scoring == "speed"


@pytest.mark.parametrize("policy", ["accuracy", "speed", "fair"])
@pytest.mark.parametrize("points", [1, 7, 100, MAX_POINTS])
@pytest.mark.parametrize("limit_ms", [1_000, 20_000])
def test_nobody_earns_more_for_being_slower(policy, points, limit_ms):
    """At no millisecond of the time there is, nor after it; and the first is not worth as much as the last."""
    [question] = quiz = worth(points)
    rules = rules_of(Options(scoring=policy), quiz)
    earned = [
        rules.score(question, RIGHT, taken_ms=taken_ms, limit_ms=limit_ms, streak=0)
        for taken_ms in range(-1, limit_ms + 2)
    ]
    assert all(sooner >= later for sooner, later in pairwise(earned))
    assert earned[0] > earned[-1] or policy == "accuracy" or points == 1


@given(options, quizzes, shares, limits, streaks, st.data())
def test_less_is_never_worth_more(chosen, quiz, graded, limit_ms, streak, data):
    """Neither more time, nor a shorter streak, nor a smaller share."""
    rules, question = rules_of(chosen, quiz), data.draw(st.sampled_from(quiz))
    soon, late = sorted(data.draw(st.tuples(st.integers(0, limit_ms), st.integers(0, limit_ms))))
    as_it_is = rules.score(question, graded, taken_ms=soon, limit_ms=limit_ms, streak=streak)
    assert rules.score(question, graded, taken_ms=late, limit_ms=limit_ms, streak=streak) <= as_it_is
    assert rules.score(question, graded, taken_ms=soon, limit_ms=limit_ms, streak=streak + 1) >= as_it_is
    less = Grade(correct=False, share=data.draw(st.integers(0, graded.share)))
    if not graded.correct:
        assert rules.score(question, less, taken_ms=soon, limit_ms=limit_ms, streak=streak) <= as_it_is


@given(st.integers(0, MAX_POINTS), limits, st.data())
def test_speed_is_its_formula(points, limit_ms, data):
    """round((1 − (t/T)/2) × P), half up, in fractions as in our integers; all of it below half a second."""
    taken_ms = data.draw(st.integers(0, limit_ms))
    [question] = worth(points)
    got = Rules(policy="speed").score(question, RIGHT, taken_ms=taken_ms, limit_ms=limit_ms, streak=0)
    exact = (1 - Fraction(taken_ms, limit_ms) / 2) * points
    assert got == (points if taken_ms < FULL_POINTS_MS else floor(exact + Fraction(1, 2)))


@given(options, quizzes)
def test_a_whole_quiz_fits_on_a_board(chosen, quiz):
    """Whatever a host chooses; and so does the largest there can be."""
    largest = worth(*[MAX_POINTS] * MAX_QUESTIONS)
    for each in (quiz, largest):
        rules = rules_of(chosen, each)
        assert sum(most(rules, question) for question in each) * MS_SPAN + MS_SPAN - 1 < 2**53


@given(st.booleans(), quizzes)
def test_bonuses_of_a_fair_quiz_stay_below_one_right_answer(in_a_row, quiz):
    """All of them together, below its smallest."""
    rules = rules_of(Options(scoring="fair", streak_bonus=in_a_row), quiz)
    smallest = min((question.points for question in quiz if earns(question) and question.points), default=1)
    assert sum(most(rules, question) - question.points for question in quiz if earns(question)) < smallest


@given(st.booleans(), st.booleans(), quizzes, st.data())
def test_who_has_a_right_answer_more_is_never_below(in_a_row, partial, quiz, data):
    """Two players of a fair game: whose points for right answers lead by one right answer is ahead, however slow."""
    rules = rules_of(Options(scoring="fair", streak_bonus=in_a_row, partial_credit=partial), quiz)
    smallest = min((question.points for question in quiz if earns(question) and question.points), default=1)
    plain = Rules(policy="accuracy", partial_credit=partial)
    totals: list[tuple[int, int]] = []
    for _ in range(2):
        for_right_answers, total = 0, 0
        for question in quiz:
            graded = grade(question, data.draw(submissions_to(question)))
            assert graded is not None
            limit_ms = data.draw(limits)
            taken_ms, streak = data.draw(st.integers(0, limit_ms)), data.draw(streaks)
            for_right_answers += plain.score(question, graded, taken_ms=None, limit_ms=None, streak=0)
            total += rules.score(question, graded, taken_ms=taken_ms, limit_ms=limit_ms, streak=streak)
        totals.append((for_right_answers, total))
    [(more, ahead), (less, behind)] = sorted(totals, reverse=True)
    assume(more - less >= smallest)
    assert ahead > behind


@given(st.integers(1, MAX_POINTS), st.integers(1, MAX_QUESTIONS), st.booleans(), st.data())
def test_one_right_answer_more_beats_all_speed(points, count, in_a_row, data):
    """With questions worth the same: the slowest with one more is above the quickest, at every size of quiz."""
    quiz = worth(*[points] * count)
    rules = rules_of(Options(scoring="fair", streak_bonus=in_a_row), quiz)
    right = data.draw(st.integers(0, count - 1))
    slow = (right + 1) * rules.score(quiz[0], RIGHT, taken_ms=1_000, limit_ms=1_000, streak=0)
    quick = right * most(rules, quiz[0])
    assert slow > quick


@pytest.mark.parametrize("policy", ["accuracy", "speed", "fair"])
def test_without_a_clock_there_is_no_bonus_for_time(policy):
    """As in `accuracy`: full points, no more and no less."""
    [question] = quiz = worth(100)
    rules = rules_of(Options(scoring=policy), quiz)
    for taken_ms, limit_ms in ((None, None), (None, 20_000), (3_000, None)):
        assert rules.score(question, RIGHT, taken_ms=taken_ms, limit_ms=limit_ms, streak=0) == 100


@pytest.mark.parametrize("policy", ["accuracy", "speed", "fair"])
@pytest.mark.parametrize(
    "question",
    [PollQuestion(prompt="?", choices=["a", "b"], points=500), WordCloudQuestion(prompt="?"), InfoSlide(prompt="!")],
)
def test_what_has_no_right_answer_earns_nothing(policy, question):
    """Whatever points it was given, and they count for no bonus either."""
    rules = rules_of(Options(scoring=policy, streak_bonus=True), [question, *worth(100)])
    assert most(rules, question) == 0
    assert score(question, correct=True) == 0
    assert rules == rules_of(Options(scoring=policy, streak_bonus=True), worth(100))


def test_self_paced_answers_earn_all_or_nothing():
    """As they always did."""
    [question] = worth(150)
    assert (score(question, correct=True), score(question, correct=False)) == (150, 0)


def test_a_share_counts_only_where_partial_credit_is_given():
    """Elsewhere what is not right is wrong."""
    [question], half = worth(101), Grade(correct=False, share=500)
    for partial, expected in ((True, 50), (False, 0)):
        rules = rules_of(Options(scoring="accuracy", partial_credit=partial), worth(101))
        assert rules.score(question, half, taken_ms=None, limit_ms=None, streak=0) == expected
        assert rules.score(question, RIGHT, taken_ms=None, limit_ms=None, streak=0) == 101
        assert rules.score(question, WRONG, taken_ms=None, limit_ms=None, streak=5) == 0


def test_page_has_the_points_of_speed_and_fair():
    """docs/scoring.md: what its tables say is what is given."""
    rows = rows_under("By the time taken")
    assert len(rows) > 5
    quiz = worth(*[100] * 10)
    for seconds, of_limit, speed, fair in rows:
        for policy, expected in (("speed", speed), ("fair", fair)):
            taken_ms, limit_ms = round(float(seconds) * 1_000), round(float(of_limit) * 1_000)
            rules = rules_of(Options(scoring=policy), quiz)
            assert str(rules.score(quiz[0], RIGHT, taken_ms=taken_ms, limit_ms=limit_ms, streak=0)) == expected


def test_page_has_the_bonuses_of_fair():
    """docs/scoring.md: by the number of questions and their points, without and with streaks."""
    rows = rows_under("The bonuses of `fair`")
    assert len(rows) > 5
    for count, points, alone, with_streaks in rows:
        quiz = worth(*[int(it) for it in re.findall(r"\d+", points)] * int(count))[: int(count)]
        plain, streaky = (rules_of(Options(scoring="fair", streak_bonus=it), quiz) for it in (False, True))
        assert alone == str(plain.most_for_time)
        assert with_streaks == f"{streaky.most_for_time} and {streaky.most_for_streak}"


def test_page_has_the_points_of_a_streak():
    """docs/scoring.md: a tenth for each right answer before, up to five."""
    rows = rows_under("Streaks")
    quiz = worth(*[100] * 5)
    for before, accuracy, fair in rows:
        for policy, expected in (("accuracy", accuracy), ("fair", fair)):
            rules = rules_of(Options(scoring=policy, streak_bonus=True), quiz)
            got = rules.score(quiz[0], RIGHT, taken_ms=None, limit_ms=None, streak=int(before.split()[0]))
            assert f"+{got - 100}" == expected
    assert [int(row[0].split()[0]) for row in rows] == [0, 1, 2, 3, 4, 5]
    assert all(int(one[1]) <= int(other[1]) for one, other in pairwise(rows))


def test_page_has_the_shares_of_partial_credit():
    """docs/scoring.md: right and wrong choices picked, and items in order."""
    for there_are, picked, share in rows_under("Several choices"):
        right, wrong = (int(it) for it in re.findall(r"\d+", there_are))
        hits, misses = (int(it) for it in re.findall(r"\d+", picked))
        choices = [str(at) for at in range(right + wrong)]
        question = MultiChoiceQuestion(prompt="?", choices=choices, answer=[*range(right)])
        graded = grade(question, [*range(hits), *range(right, right + misses)])
        assert graded is not None
        assert graded.share == int(share)
    for count, ordered, share in rows_under("An order"):
        items = [chr(ord("A") + at) for at in range(int(count))]
        question = OrderQuestion(prompt="?", choices=items, answer=[*range(len(items))])
        graded = grade(question, [items.index(it) for it in ordered.split()])
        assert graded is not None
        assert graded.share == int(share)


def test_page_names_the_version():
    """docs/scoring.md: a formula that changes makes it rise, and the page says what changed."""
    versions = [int(row[0]) for row in rows_under("Versions")]
    assert versions == [*range(1, POLICY_VERSION + 1)]
