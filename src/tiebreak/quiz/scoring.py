"""How many points an answer earns. docs/scoring.md has the formulas, with tables that a test holds to this page.

All in integers, so that every process, and Postgres, has the same: in fractions, `half up` and `down` are written
as what they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, TypeAlias, assert_never, get_args

import msgspec

from tiebreak.quiz.grading import WHOLE, Grade
from tiebreak.quiz.model import Question, UnkeyedQuestion

if TYPE_CHECKING:
    from tiebreak.quiz.options import Options

Policy: TypeAlias = Literal["accuracy", "speed", "fair"]

# Recorded with a live session (`options.scoring_version`). A formula that changes makes it rise: points that were given
# stay as they are in the ledger, and with the version it can be told why they are what they are.
POLICY_VERSION = 1

# Whoever answers sooner has not thought any faster.
FULL_POINTS_MS = 500
# Each right answer in a row before this one adds a tenth of the points, up to half of them.
STREAK_PARTS, LONGEST_STREAK = 10, 5

UNKEYED = frozenset(get_args(UnkeyedQuestion))


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How one session's answers are scored.

    `most_for_time` and `most_for_streak` are of `fair` alone: what they may add to one answer.
    """

    policy: Policy
    streak_bonus: bool = False
    partial_credit: bool = False
    most_for_time: int = 0
    most_for_streak: int = 0

    def score(
        self, question: Question, grade: Grade, *, taken_ms: int | None, limit_ms: int | None, streak: int
    ) -> int:
        """The answer's points: what the policy gives to its share, rounded down, and the bonus of a streak.

        `taken_ms` of `limit_ms` milliseconds were used, either None if no clock ran; more than all count as all.
        `streak`: right answers in a row before this one.
        """
        share = self.share_of(grade)
        points = question.points if earns(question) else 0
        if points == 0 or share == 0:
            return 0
        left = left_of(taken_ms, limit_ms)
        following = min(max(streak, 0), LONGEST_STREAK) if self.streak_bonus and grade.correct else 0
        match self.policy:
            case "accuracy":
                return points * share // WHOLE + points * following // STREAK_PARTS
            case "speed":
                timed = with_half_at_the_end(points, left) if left else points
                return timed * share // WHOLE + points * following // STREAK_PARTS
            case "fair":
                bonus = part_of(self.most_for_time, left) if left else 0
                in_a_row = self.most_for_streak * following // LONGEST_STREAK
                return points * share // WHOLE + bonus * share // WHOLE + in_a_row
            case _:
                assert_never(self.policy)

    def share_of(self, grade: Grade) -> int:
        """What counts of the answer, in thousandths."""
        if self.partial_credit:
            return grade.share
        return WHOLE if grade.correct else 0


def rules_of(options: Options, questions: Iterable[Question]) -> Rules:
    """A live session's rules, made once: its questions are frozen."""
    for_time, for_streak = 0, 0
    if options.scoring == "fair":
        for_time, for_streak = fair_bonuses(questions, streaks=options.streak_bonus)
    return Rules(
        policy=options.scoring,
        streak_bonus=options.streak_bonus,
        partial_credit=options.partial_credit,
        most_for_time=for_time,
        most_for_streak=for_streak,
    )


def fair_bonuses(questions: Iterable[Question], *, streaks: bool) -> tuple[int, int]:
    """The most that time, and a streak, may add to one answer.

    All bonuses of a quiz together stay below its smallest right answer. With streaks, these have half of that, or less.
    """
    points = [question.points for question in questions if earns(question) and question.points]
    if not points:
        return 0, 0
    of_each = (min(points) - 1) // len(points)
    for_streak = of_each // 2 if streaks else 0
    return of_each - for_streak, for_streak


def earns(question: Question) -> bool:
    """Whether there are right and wrong answers to it, and so points."""
    return type(question) not in UNKEYED


def left_of(taken_ms: int | None, limit_ms: int | None) -> tuple[int, int] | None:
    """The time left and the time there was; None if no clock ran."""
    if taken_ms is None or limit_ms is None or limit_ms <= 0:
        return None
    taken_ms = 0 if taken_ms < FULL_POINTS_MS else min(taken_ms, limit_ms)
    return limit_ms - taken_ms, limit_ms


def with_half_at_the_end(points: int, left: tuple[int, int]) -> int:
    """round((1 − (t/T)/2) × points), half up."""
    left_ms, limit_ms = left
    return ((limit_ms + left_ms) * points + limit_ms) // (2 * limit_ms)


def part_of(bonus: int, left: tuple[int, int]) -> int:
    """round((1 − t/T) × bonus), half up."""
    left_ms, limit_ms = left
    return (2 * left_ms * bonus + limit_ms) // (2 * limit_ms)


def score(question: Question, *, correct: bool) -> int:
    """Points of a self-paced session's answer: the question's for a right answer, else 0."""
    return question.points if correct and earns(question) else 0
