"""results.csv: a line for each answer (RFC 4180), in UTF-8 with a byte-order mark, which Excel wants.

A cell that a spreadsheet would take for a formula gets an apostrophe before it: names and answers are anybody's text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import IO

from tiebreak.app_server.results.export import Format
from tiebreak.app_server.results.overview import Overview
from tiebreak.app_server.results.views import AnswerResults, ParticipantResults, QuestionResults

# What OWASP lists, and the same signs in their full width, which spreadsheets in Japanese take as well.
FORMULA_SIGNS = frozenset("=+-@\t\r\n＝＋－＠")
COLUMNS = (
    "rank",
    "player",
    "team",
    "removed",
    "total",
    "question",
    "prompt",
    "answer",
    "right",
    "points",
    "response_ms",
)

Cell = str | int | None


class CsvFile:
    """Of participants who have answered nothing there is one line, without a question."""

    def __init__(self, file: IO[bytes], overview: Overview) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=False)
        # csv's own dialect: commas, quotes where they are needed, CR LF.
        self._lines = csv.writer(self._text)
        self._questions = overview.question_results
        self._lines.writerow(COLUMNS)

    def add(self, participants: Sequence[ParticipantResults]) -> None:
        for participant in participants:
            before = (
                participant.rank,
                defused(participant.name),
                defused(participant.team or ""),
                word(participant.removed),
                participant.score,
            )
            answers = [
                answer_cells(question, given)
                for question in self._questions
                if (given := participant.answers.get(question.question_id))
            ]
            self._lines.writerows((*before, *cells) for cells in answers or [(None,) * 6])

    def finish(self) -> None:
        self._text.flush()
        # The file is the caller's to close.
        self._text.detach()


def answer_cells(question: QuestionResults, given: AnswerResults) -> tuple[Cell, ...]:
    # A number is none of anybody's text: -5 stays -5.
    answer = given.answer if question.type == "numeric" else defused(given.answer)
    return (
        question.position,
        defused(question.prompt),
        answer,
        "" if given.correct is None else word(given.correct),
        given.score,
        given.response_ms,
    )


def defused(text: str) -> str:
    """Text that no spreadsheet computes."""
    return f"'{text}" if text[:1] in FORMULA_SIGNS and text else text


def word(truth: bool) -> str:
    return "yes" if truth else "no"


CSV = Format("csv", "text/csv", CsvFile)  # Litestar adds the charset
