"""What the game needs to know of a session's questions."""

from __future__ import annotations

from collections.abc import Iterable

from tiebreak.quiz.live import Beat
from tiebreak.quiz.model import InfoSlide, Question
from tiebreak.quiz.scoring import earns


def script_of(questions: Iterable[Question]) -> list[Beat]:
    """A beat for each question."""
    return [
        Beat(
            question.time_limit_ms,
            takes_answers=not isinstance(question, InfoSlide),
            scores=earns(question) and question.points > 0,
        )
        for question in questions
    ]
