"""Answers and keys as people read them: a choice by its text, not by its index.

By what the values are made of, not by the type of question: what a new type adds is text already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from tiebreak.quiz.model import Question, Submission

SEPARATOR = "; "
TRUTHS = ("false", "true")
# Types that have no right answer: what is given there says something, and earns nothing.
UNGRADED = frozenset({"poll", "word_cloud", "info"})


def type_of(question: Question) -> str:
    """As the interface names it."""
    return str(question.__struct_config__.tag)


def is_graded(question: Question) -> bool:
    """Whether there is a right answer."""
    return type_of(question) not in UNGRADED


def choices_of(question: Question) -> Sequence[str]:
    """What is to choose from, in the order shown; nothing where the answer is typed."""
    return cast("Sequence[str]", getattr(question, "choices", ()))


def answer_text(question: Question, answer: Submission) -> str:
    """What a participant answered. Several choices in the order shown; an order as it was given."""
    if isinstance(answer, list) and type_of(question) != "order":
        answer = sorted(answer)
    return _text(question, answer)


def right_text(question: Question) -> str | None:
    """What is right; all that is accepted, if several are. None where nothing is."""
    if not is_graded(question):
        return None
    text = _text(question, cast("Submission | list[str]", getattr(question, "answer")))  # noqa: B009 - not every type has it
    tolerance: float = getattr(question, "tolerance", 0)
    return f"{text} ± {_number(tolerance)}" if tolerance else text


def _text(question: Question, value: Submission | list[str]) -> str:
    choices = choices_of(question)
    if isinstance(value, list):
        return SEPARATOR.join(choices[each] if isinstance(each, int) and choices else str(each) for each in value)
    if isinstance(value, bool):
        return TRUTHS[value]
    if isinstance(value, int) and choices:
        return choices[value]
    return value if isinstance(value, str) else _number(value)


def _number(value: float) -> str:
    """10 for 10.0: it is the same number."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)
