"""Whether an answer is right, and how much of it. The formulas are in docs/scoring.md."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from decimal import Context, Decimal
from itertools import combinations
from typing import TypeGuard, assert_never

import msgspec

from tiebreak.quiz.model import (
    MAX_NUMBER,
    ChoiceQuestion,
    InfoSlide,
    MultiChoiceQuestion,
    NumericQuestion,
    OrderQuestion,
    PollQuestion,
    Question,
    Submission,
    TrueFalseQuestion,
    TypedQuestion,
    WordCloudQuestion,
)
from tiebreak.text import clean_line

MAX_TYPED = 500
MAX_WORDS = 40
WHOLE = 1_000
# Exact for any two numbers up to MAX_NUMBER: a double has 17 digits, and the least of them the 324th decimal place.
EXACT = Context(prec=400)


class Grade(msgspec.Struct, frozen=True, gc=False):
    """What an answer is worth. `share` is in thousandths, and 1000 exactly if it is correct.

    It counts where a session gives partial credit; elsewhere what is not correct is wrong.
    """

    correct: bool
    share: int


RIGHT, WRONG = Grade(correct=True, share=WHOLE), Grade(correct=False, share=0)


def grade(question: Question, submission: Submission) -> Grade | None:
    """What the answer is worth; None if it is no answer to this type of question at all.

    None must not be recorded: the participant may still answer.
    """
    match question:
        case ChoiceQuestion():
            return whole(submission == question.answer) if is_index(submission, question.choices) else None
        case MultiChoiceQuestion():
            return graded_choices(question, submission) if are_indexes(submission, question.choices) else None
        case TrueFalseQuestion():
            return whole(submission is question.answer) if isinstance(submission, bool) else None
        case TypedQuestion():
            if not isinstance(submission, str) or len(submission) > MAX_TYPED or not is_storable(submission):
                return None
            return whole(fold(submission) in {fold(accepted) for accepted in question.answer})
        case OrderQuestion():
            if not are_indexes(submission, question.choices) or len(submission) < len(question.choices):
                return None
            return graded_order(question, submission)
        case NumericQuestion():
            return whole(is_near(question, submission)) if is_number(submission) else None
        case PollQuestion():
            return RIGHT if is_index(submission, question.choices) else None
        case WordCloudQuestion():
            return RIGHT if isinstance(submission, str) and words_of(submission) else None
        case InfoSlide():
            return None
        case _:
            assert_never(question)


def whole(correct: bool) -> Grade:
    return RIGHT if correct else WRONG


def graded_choices(question: MultiChoiceQuestion, picked: list[int]) -> Grade:
    """Share: the part of the right choices that was picked, less the part of the wrong ones; not below nothing.

    So picking all of them earns nothing, nor does picking none.
    """
    right, wrong = len(question.answer), len(question.choices) - len(question.answer)
    hits = len({*picked} & {*question.answer})
    misses = len(picked) - hits
    if (hits, misses) == (right, 0):
        return RIGHT
    # Over right × wrong, in integers; without wrong choices there is nothing to take off.
    share = WHOLE * (hits * wrong - misses * right) // (right * wrong) if wrong else WHOLE * hits // right
    return Grade(correct=False, share=max(0, share))


def graded_order(question: OrderQuestion, ordered: list[int]) -> Grade:
    """Share: Kendall's tau (1938), the pairs in right order less those in wrong order; not below nothing.

    So an order by chance earns nothing on average, and two neighbours swapped cost little.
    """
    place = {item: at for at, item in enumerate(question.answer)}
    pairs = [place[first] < place[second] for first, second in combinations(ordered, 2)]
    share = WHOLE * (2 * sum(pairs) - len(pairs)) // len(pairs)
    return RIGHT if all(pairs) else Grade(correct=False, share=max(0, share))


def is_near(question: NumericQuestion, number: float) -> bool:
    """As the numbers are written: 0.4 is 0.3 away from 0.1, which it is not in binary."""
    answer, given, tolerance = (Decimal(str(it)) for it in (question.answer, number, question.tolerance))
    return EXACT.subtract(given, answer).copy_abs() <= tolerance


def is_index(submission: Submission, choices: Sequence[str]) -> bool:
    # Not isinstance: a bool is an int.
    return type(submission) is int and 0 <= submission < len(choices)


def are_indexes(submission: Submission, choices: Sequence[str]) -> TypeGuard[list[int]]:
    """Whether each names another one of the choices."""
    return (
        isinstance(submission, list)
        and len(set(submission)) == len(submission)
        and all(0 <= index < len(choices) for index in submission)
    )


def is_number(submission: Submission) -> TypeGuard[int | float]:
    # The bounds keep out what is no number, too.
    return (
        isinstance(submission, int | float)
        and not isinstance(submission, bool)
        and -MAX_NUMBER <= submission <= MAX_NUMBER
    )


def words_of(text: str) -> str | None:
    """The words of a word cloud as they are shown; None if there are none, or too many."""
    try:
        return clean_line(text, longest=MAX_WORDS, what="The answer")
    except ValueError:
        return None


def is_storable(text: str) -> bool:
    """Whether Postgres can keep it: no NUL, no half of a surrogate pair (which a socket may bring)."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def fold(text: str) -> str:
    """Typed text as it is compared: without case, outer blanks and doubled blanks, in one Unicode form."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
