"""Whether an answer is right."""

from __future__ import annotations

import unicodedata
from typing import assert_never

from tiebreak.quiz.model import (
    ChoiceQuestion,
    MultiChoiceQuestion,
    Question,
    Submission,
    TrueFalseQuestion,
    TypedQuestion,
)

MAX_TYPED = 500


def grade(question: Question, submission: Submission) -> bool | None:
    """True if right, False if wrong, None if it is no answer to this type of question at all.

    None must not be recorded: the participant may still answer.
    """
    match question:
        case ChoiceQuestion():
            if isinstance(submission, bool) or not isinstance(submission, int):
                return None
            return submission == question.answer if 0 <= submission < len(question.choices) else None
        case MultiChoiceQuestion():
            if not isinstance(submission, list) or len(set(submission)) < len(submission):
                return None
            if any(not 0 <= index < len(question.choices) for index in submission):
                return None
            return sorted(submission) == question.answer
        case TrueFalseQuestion():
            return submission is question.answer if isinstance(submission, bool) else None
        case TypedQuestion():
            if not isinstance(submission, str) or len(submission) > MAX_TYPED or not is_storable(submission):
                return None
            return fold(submission) in {fold(accepted) for accepted in question.answer}
        case _:
            assert_never(question)


def is_storable(text: str) -> bool:
    """Whether Postgres can keep it: no NUL, no half of a surrogate pair (which a socket may bring)."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def fold(text: str) -> str:
    """Typed text as it is compared: without case, outer blanks and doubled blanks, in one Unicode form."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
