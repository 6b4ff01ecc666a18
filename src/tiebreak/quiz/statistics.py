"""What a session's answers say of its questions: how many were right, what was answered, which one was the hardest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import msgspec

from tiebreak.quiz.answer_texts import TRUTHS, answer_text, choices_of, is_graded, type_of
from tiebreak.quiz.grading import fold
from tiebreak.quiz.model import Question, Submission

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
    right = sum(tally.right for tally in tallies) if is_graded(question) else None
    share = right / answered if right is not None and answered else None
    return QuestionStatistics(answered, right, share, distribution(question, tallies))


def distribution(question: Question, tallies: Sequence[Tally]) -> list[Share]:
    """One line for each choice, chosen or not; else the most frequent answers, those most given first.

    Where several may be chosen, the lines add up to more than all. Typed answers are those that grading holds for one,
    as most have written it.
    """
    graded, choices = is_graded(question), choices_of(question)
    if type_of(question) == "true_false":
        return [
            Share(TRUTHS[truth], sum(it.count for it in tallies if it.answer is truth), _key(question) is truth)
            for truth in (True, False)
        ]
    if choices and type_of(question) != "order":
        chosen = Counter[int]()
        for tally in tallies:
            for index in _indexes(tally.answer):
                chosen[index] += tally.count
        right = set(_indexes(_key(question))) if graded else set[int]()
        return [Share(text, chosen[at], at in right if graded else None) for at, text in enumerate(choices)]
    return most_frequent(question, tallies)


def most_frequent(question: Question, tallies: Sequence[Tally]) -> list[Share]:
    """Of answers without number."""
    folded: dict[str, list[tuple[int, str, bool]]] = {}
    for tally in tallies:
        text = answer_text(question, tally.answer)
        folded.setdefault(fold(text), []).append((tally.count, text, tally.right > 0))
    lines = [
        Share(
            max(spellings)[1],
            sum(count for count, _, _ in spellings),
            any(right for _, _, right in spellings) if is_graded(question) else None,
        )
        for spellings in folded.values()
    ]
    lines.sort(key=lambda line: (-line.count, line.answer))
    return lines[: MOST_FREQUENT_WORDS if type_of(question) == "word_cloud" else MOST_FREQUENT]


def hardest_first(questions: Mapping[int, QuestionStatistics]) -> list[int]:
    """Numbers of the questions that somebody answered and that can be right, the smallest share of right ones first.

    Of equal shares, the one that more have answered; then the earlier one.
    """
    shares = [(it.share_right, -it.answered, number) for number, it in questions.items() if it.share_right is not None]
    return [number for _, _, number in sorted(shares)]


def _key(question: Question) -> object:
    return getattr(question, "answer", None)


def _indexes(value: object) -> Iterable[int]:
    if isinstance(value, list):
        return [index for index in cast("list[object]", value) if isinstance(index, int)]
    return (value,) if isinstance(value, int) else ()
