"""Answers and keys as people read them: a choice by its text, not by its index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from tiebreak.quiz.model import (
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

SEPARATOR = "; "
TRUTHS = ("false", "true")


def answer_text(question: Question, answer: Submission) -> str:
    """What a participant answered. Several choices in the order shown; an order as it was given."""
    if isinstance(question, (ChoiceQuestion, MultiChoiceQuestion, PollQuestion)):
        return joined(question.choices, sorted(indexes(answer)))
    if isinstance(question, OrderQuestion):
        return joined(question.choices, indexes(answer))
    if isinstance(answer, bool):
        return TRUTHS[answer]
    return number_text(answer) if isinstance(answer, (int, float)) else str(answer)


def right_text(question: Question) -> str | None:
    """What is right; all that is accepted, if several are. None where nothing is."""
    match question:
        case ChoiceQuestion():
            return question.choices[question.answer]
        case MultiChoiceQuestion() | OrderQuestion():
            return joined(question.choices, question.answer)
        case TrueFalseQuestion():
            return TRUTHS[question.answer]
        case TypedQuestion():
            return SEPARATOR.join(question.answer)
        case NumericQuestion():
            answer, tolerance = number_text(question.answer), number_text(question.tolerance)
            return f"{answer} ± {tolerance}" if question.tolerance else answer
        case PollQuestion() | WordCloudQuestion() | InfoSlide():
            return None
        case _:
            assert_never(question)


def indexes(answer: Submission) -> Sequence[int]:
    """Of the choices that an answer names."""
    if isinstance(answer, list):
        return answer
    return (answer,) if isinstance(answer, int) else ()


def joined(choices: Sequence[str], chosen: Iterable[int]) -> str:
    return SEPARATOR.join(choices[index] for index in chosen)


def number_text(number: float) -> str:
    """10 for 10.0: it is the same number."""
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else str(number)
