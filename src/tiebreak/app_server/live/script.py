"""What the game needs to know of a session's questions."""

from __future__ import annotations

from collections.abc import Iterable

from tiebreak.quiz.live import Beat
from tiebreak.quiz.model import Question

NO_ANSWERS = {"info"}
NO_POINTS = {"info", "poll", "word_cloud"}


def type_of(question: Question) -> str:
    """The word for its type on the wire."""
    return str(question.__struct_config__.tag)


def is_graded(question: Question) -> bool:
    """Whether an answer to it can be right or wrong."""
    return type_of(question) not in NO_POINTS


def script_of(questions: Iterable[Question]) -> list[Beat]:
    """A beat for each question."""
    return [
        Beat(
            question.time_limit_ms,
            takes_answers=type_of(question) not in NO_ANSWERS,
            scores=is_graded(question) and question.points > 0,
        )
        for question in questions
    ]
