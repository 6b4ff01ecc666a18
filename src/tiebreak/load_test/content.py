"""The quiz that is played: a hundred questions, of which the first is for pacemakers only.

A message shows the ten leaders and nobody else. So that some players are always shown, up to ten of each session, the
*pacemakers*, answer a question of 10,000 points before the measurement; all other questions together are worth less.
"""

from __future__ import annotations

from typing import TypeAlias

Submission: TypeAlias = bool | int | float | str | list[int]

QUESTIONS = 100  # as many as a quiz may have
TYPES = 6  # of questions that earn points
ANSWERS_PER_PLAYER = QUESTIONS - 1
HEAD_START = 0  # the question that only pacemakers answer
HEAD_START_POINTS = 10_000
PACEMAKERS_PER_SESSION = 10  # as many as a message shows


def points(question: int) -> int:
    """What a right answer earns: 10 to 50, so that totals are often equal."""
    return HEAD_START_POINTS if question == HEAD_START else 10 * (1 + question % 5)


def answer_to(question: int, *, right: bool) -> Submission:
    """A right or a wrong answer."""
    match question % TYPES:
        case 0:
            return 1 if right else 2
        case 1:
            return right
        case 2:
            return [0, 2] if right else [0, 1]
        case 3:
            return "nineteen" if right else "ninety"
        case 4:
            return [2, 0, 1] if right else [0, 1, 2]
        case _:
            return 36.6 if right else 37


def quiz() -> dict[str, object]:
    """The body of POST /quizzes."""
    return {"title": "Load test", "questions": [described(number) for number in range(QUESTIONS)]}


def described(number: int) -> dict[str, object]:
    """One question. Each type of question that earns points has its turn."""
    right = answer_to(number, right=True)
    shared: dict[str, object] = {"prompt": f"Question {number}", "points": points(number)}
    match number % TYPES:
        case 0:
            return {"type": "choice", "choices": ["one", "two", "three", "four"], "answer": right, **shared}
        case 1:
            return {"type": "true_false", "answer": right, **shared}
        case 2:
            return {"type": "multi_choice", "choices": ["two", "three", "four"], "answer": right, **shared}
        case 3:
            return {"type": "typed", "answer": [right], **shared}
        case 4:
            return {"type": "order", "choices": ["two", "three", "one"], "answer": right, **shared}
        case _:
            return {"type": "numeric", "answer": right, "tolerance": 0.3, **shared}
