"""Any question, and any answer that its type takes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tiebreak.quiz.model import (
    MAX_NUMBER,
    MAX_POINTS,
    ChoiceQuestion,
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

# Those with shares between nothing and all.
MARKED = (MultiChoiceQuestion, OrderQuestion)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Of any type that takes answers."""
    count = draw(st.integers(2, 8))
    choices = [f"Choice {at}" for at in range(count)]
    indexes = st.integers(0, count - 1)
    shared: dict[str, Any] = {"prompt": "?", "points": draw(st.integers(0, MAX_POINTS))}
    made: list[Question] = [
        ChoiceQuestion(choices=choices, answer=draw(indexes), **shared),
        MultiChoiceQuestion(choices=choices, answer=draw(st.lists(indexes, min_size=1, unique=True)), **shared),
        TrueFalseQuestion(answer=draw(st.booleans()), **shared),
        TypedQuestion(answer=["right"], **shared),
        OrderQuestion(choices=choices, answer=draw(st.permutations(range(count))), **shared),
        NumericQuestion(answer=draw(st.integers(-9, 9)), tolerance=draw(st.integers(0, 3)), **shared),
        PollQuestion(choices=choices, **shared),
        WordCloudQuestion(**shared),
    ]
    return draw(st.sampled_from(made))


def submissions_to(question: Question) -> st.SearchStrategy[Submission]:
    """What may be sent to it, right and wrong."""
    match question:
        case ChoiceQuestion() | PollQuestion():
            return st.integers(0, len(question.choices) - 1)
        case MultiChoiceQuestion():
            return st.lists(st.integers(0, len(question.choices) - 1), unique=True)
        case OrderQuestion():
            return st.permutations(range(len(question.choices)))
        case TrueFalseQuestion():
            return st.booleans()
        case NumericQuestion():
            return st.integers(-12, 12) | st.floats(-MAX_NUMBER, MAX_NUMBER)
        case _:
            return st.sampled_from(["right", "wrong", " RIGHT"])
