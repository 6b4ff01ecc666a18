"""What a session's answers say of its questions: how many were right, what was answered, which one was the hardest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from tiebreak.quiz.answer_texts import TRUTHS, answer_text, indexes
from tiebreak.quiz.grading import fold
from tiebreak.quiz.model import (
    ChoiceQuestion,
    MultiChoiceQuestion,
    PollQuestion,
    Question,
    Submission,
    TrueFalseQuestion,
    WordCloudQuestion,
)
from tiebreak.quiz.scoring import earns

# Of answers that are typed or put together, so many are told apart.
MOST_FREQUENT = 10
MOST_FREQUENT_WORDS = 50


class Tally(msgspec.Struct, frozen=True, array_like=True):
    """How many gave this answer, and for how many of them it was right."""

    answer: Submission
    count: int
    right: int


class Share(msgspec.Struct, frozen=True):
    """A line of a distribution. `right` is None where nothing is right or wrong."""

    answer: str
    count: int
    right: bool | None


class QuestionStatistics(msgspec.Struct, frozen=True):
    """`share_right`: of those who answered; None if nobody did, or nothing is right or wrong."""

    answered: int
    right: int | None
    share_right: float | None
    distribution: list[Share]


def statistics(question: Question, tallies: Sequence[Tally]) -> QuestionStatistics:
    """Of one question."""
    answered = sum(tally.count for tally in tallies)
    right = sum(tally.right for tally in tallies) if earns(question) else None
    share = right / answered if right is not None and answered else None
    return QuestionStatistics(answered, right, share, distribution(question, tallies))


def distribution(question: Question, tallies: Sequence[Tally]) -> list[Share]:
    """One line for each choice, chosen or not; else the most frequent answers, those most given first.

    Where several may be chosen, the lines add up to more than all. Typed answers are those that grading holds for one,
    as most have written it.
    """
    match question:
        case ChoiceQuestion():
            return chosen(question.choices, tallies, {question.answer})
        case MultiChoiceQuestion():
            return chosen(question.choices, tallies, {*question.answer})
        case PollQuestion():
            return chosen(question.choices, tallies, None)
        case TrueFalseQuestion():
            counts = {truth: sum(it.count for it in tallies if it.answer is truth) for truth in (True, False)}
            return [Share(TRUTHS[truth], count, question.answer is truth) for truth, count in counts.items()]
        case WordCloudQuestion():
            return most_frequent(question, tallies)[:MOST_FREQUENT_WORDS]
        case _:
            return most_frequent(question, tallies)[:MOST_FREQUENT]


def chosen(choices: Sequence[str], tallies: Sequence[Tally], right: set[int] | None) -> list[Share]:
    """A line for each choice."""
    counts = Counter[int]()
    for tally in tallies:
        for index in indexes(tally.answer):
            counts[index] += tally.count
    return [Share(text, counts[at], None if right is None else at in right) for at, text in enumerate(choices)]


def most_frequent(question: Question, tallies: Sequence[Tally]) -> list[Share]:
    """A line for each answer, those most given first."""
    folded: dict[str, list[tuple[int, str, bool]]] = {}
    for tally in tallies:
        text = answer_text(question, tally.answer)
        folded.setdefault(fold(text), []).append((tally.count, text, tally.right > 0))
    lines = [
        Share(
            max(spellings)[1],
            sum(count for count, _, _ in spellings),
            any(right for _, _, right in spellings) if earns(question) else None,
        )
        for spellings in folded.values()
    ]
    return sorted(lines, key=lambda line: (-line.count, line.answer))


def hardest_first(questions: Mapping[int, QuestionStatistics]) -> list[int]:
    """Numbers of the questions that somebody answered and that can be right, the smallest share of right ones first.

    Of equal shares, the one that more have answered; then the earlier one.
    """
    shares = [(it.share_right, -it.answered, number) for number, it in questions.items() if it.share_right is not None]
    return [number for _, _, number in sorted(shares)]
