"""How many points an answer earns. A policy's name is recorded with the session."""

from __future__ import annotations

from typing import Literal

from tiebreak.quiz.model import Question

Policy = Literal["accuracy", "speed", "fair"]


def score(question: Question, *, correct: bool) -> int:
    """Policy `accuracy`: the question's points for a right answer, else 0."""
    return question.points if correct else 0
