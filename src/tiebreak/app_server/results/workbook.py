"""results.xlsx: the sheets Ranking, Answers and Questions. Numbers are numbers, texts are texts, nothing is a formula.

XlsxWriter in its constant_memory mode: a row is on disk as soon as the next one begins, whatever the number of players.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from xlsxwriter import Workbook
from xlsxwriter.format import Format as CellFormat
from xlsxwriter.worksheet import Worksheet

from tiebreak.app_server.results.export import Format
from tiebreak.app_server.results.overview import Overview
from tiebreak.app_server.results.views import ParticipantResults, QuestionResults

# A sheet ends here, in every spreadsheet program.
MAX_ROWS = 1_048_576
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
RANKING = (("Rank", 7), ("Player", 28), ("Team", 16), ("Points", 10), ("Right", 8), ("Answered", 10), ("Removed", 10))
ANSWERS = (("Rank", 7), ("Player", 28), ("Question", 10), ("Answer", 44), ("Right", 8), ("Points", 10), ("Seconds", 10))
QUESTIONS = (
    ("Question", 10),
    ("Type", 13),
    ("Prompt", 60),
    ("Right answer", 36),
    ("Points", 10),
    ("Asked", 8),
    ("Answered", 10),
    ("Right", 8),
    ("Share right", 12),
    ("Median seconds", 16),
    ("Mean seconds", 14),
    ("Answers given", 80),
)

Cell = str | int | float | bool | None


class Sheet:
    """A worksheet that is filled from above."""

    def __init__(self, worksheet: Worksheet, columns: Sequence[tuple[str, int]], heading: CellFormat) -> None:
        self._worksheet = worksheet
        self._rows = 0
        for at, (_, width) in enumerate(columns):
            worksheet.set_column(at, at, width)
        worksheet.freeze_panes(1, 2)
        self.append([name for name, _ in columns], dict.fromkeys(range(len(columns)), heading))

    def append(self, cells: Sequence[Cell], formats: dict[int, CellFormat] | None = None) -> None:
        """A row below the others; none any more where a sheet ends."""
        row, worksheet = self._rows, self._worksheet
        if row == MAX_ROWS:
            return
        self._rows += 1
        for at, cell in enumerate(cells):
            look = formats.get(at) if formats else None
            # write_string takes any text for text, also one that begins like a formula.
            match cell:
                case None:
                    continue
                case bool():
                    worksheet.write_boolean(row, at, cell, look)
                case str():
                    worksheet.write_string(row, at, cell, look)
                case _:
                    worksheet.write_number(row, at, cell, look)

    def filter(self, columns: int) -> None:
        """Arrows above the columns."""
        self._worksheet.autofilter(0, 0, max(1, self._rows - 1), columns - 1)


class WorkbookFile:
    """Filled with participants in order; the questions come last."""

    def __init__(self, file: IO[bytes], overview: Overview) -> None:
        self._workbook = Workbook(file, {"constant_memory": True})
        self._workbook.set_properties({"title": overview.session.title})
        self._overview = overview
        heading = self._workbook.add_format({"bold": True, "bottom": 1})
        self._percent = self._workbook.add_format({"num_format": "0%"})
        # Points of each question beside the total: player × question at a glance.
        points = [(f"Q{it.position}", 7) for it in overview.question_results]
        self._ranking = Sheet(self._workbook.add_worksheet("Ranking"), [*RANKING, *points], heading)
        self._answers = Sheet(self._workbook.add_worksheet("Answers"), ANSWERS, heading)
        self._questions = Sheet(self._workbook.add_worksheet("Questions"), QUESTIONS, heading)

    def add(self, participants: Sequence[ParticipantResults]) -> None:
        for participant in participants:
            given = [participant.answers.get(it.question_id) for it in self._overview.question_results]
            self._ranking.append(
                [
                    participant.rank,
                    participant.name,
                    participant.team,
                    participant.score,
                    participant.right,
                    participant.answered,
                    "removed" if participant.removed else None,
                    *(it.score if it else None for it in given),
                ]
            )
            for question, answer in zip(self._overview.question_results, given, strict=True):
                if answer:
                    self._answers.append(
                        [
                            participant.rank,
                            participant.name,
                            question.position,
                            float(answer.answer) if question.type == "numeric" else answer.answer,
                            answer.correct,
                            answer.score,
                            seconds(answer.response_ms),
                        ]
                    )

    def finish(self) -> None:
        for question in self._overview.question_results:
            self._questions.append(question_cells(question), {8: self._percent})
        self._ranking.filter(len(RANKING) + len(self._overview.question_results))
        self._answers.filter(len(ANSWERS))
        self._questions.filter(len(QUESTIONS))
        self._workbook.close()


def question_cells(question: QuestionResults) -> list[Cell]:
    return [
        question.position,
        question.type,
        question.prompt,
        question.right_answer,
        question.points,
        question.asked,
        question.answered,
        question.right,
        question.share_right,
        seconds(question.median_ms),
        seconds(question.mean_ms),
        "; ".join(f"{share.answer}: {share.count}" for share in question.distribution),
    ]


def seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1_000


XLSX = Format("xlsx", MEDIA_TYPE, WorkbookFile)
