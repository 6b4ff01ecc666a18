"""How a board came about: the same order as every other board (ranking.py), at several moments one after the other."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import chain

import msgspec

from tiebreak.quiz.model import ParticipantId
from tiebreak.quiz.ranking import Row, Totals

TOP_ROWS = 10
MAX_MOMENTS = 60
# The answers, as parts of all in their order, with which a self-paced session's moments end: the first, the last, and
# others between which about as many came.
MOMENTS = tuple(step / (MAX_MOMENTS - 1) for step in range(MAX_MOMENTS))


class Scored(msgspec.Struct, frozen=True, gc=False):
    """An answer that comes onto the board `at_ms` after the session's opening; among equals `reached_ms` decides."""

    participant_id: ParticipantId
    name: str
    score: int
    at_ms: int
    reached_ms: int


class Moment(msgspec.Struct, frozen=True):
    """The board `at_ms` after the opening, or when question `question_index` (from 0) was shut: the top of the end."""

    at_ms: int
    question_index: int | None
    rows: list[Row]


def history(answers: Sequence[Scored], moments: Sequence[tuple[int, int | None]]) -> list[Moment]:
    """The board at each of the moments (ascending, each with its question's index): all answers until then are on it.

    Shown are those who lead in the end, each with the rank among everybody, from their first answer on.
    """
    times = [at_ms for at_ms, _ in moments]
    # Not sorted: of half a million, that would be one long step in which no other thread can do anything.
    arriving: list[list[Scored]] = [[] for _ in times]
    for answer in answers:
        if (place := bisect_left(times, answer.at_ms)) < len(times):
            arriving[place].append(answer)
    top = leaders(chain.from_iterable(arriving))
    totals, boards = Totals(opened_at_ms=0), list[Moment]()
    for (at_ms, question_index), new in zip(moments, arriving, strict=True):
        for answer in new:
            add(totals, answer)
        rows = [row for row in totals.rows() if row.quiz_session_participant_id in top]
        boards.append(Moment(at_ms, question_index, rows))
    return boards


def leaders(answers: Iterable[Scored]) -> set[ParticipantId]:
    """The top of the board with all of these on it."""
    totals = Totals(opened_at_ms=0)
    for answer in answers:
        add(totals, answer)
    return {row.quiz_session_participant_id for row in totals.rows()[:TOP_ROWS]}


def add(totals: Totals, answer: Scored) -> None:
    totals.add(answer.participant_id, answer.name, answer.score, answer.reached_ms)
