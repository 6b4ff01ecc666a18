"""Results to take away, opened by libraries that others read such files with."""

from __future__ import annotations

import asyncio
import csv
import io
import json

import openpyxl

from tests.integration.results.stage import SECOND, Stage, staged
from tiebreak.app_server.results.csv_file import COLUMNS, CSV, FORMULA_SIGNS
from tiebreak.app_server.results.json_file import JSON
from tiebreak.app_server.results.reading import LONGEST_QUEUE, PARTICIPANTS_AT_ONCE
from tiebreak.app_server.results.workbook import XLSX
from tiebreak.database.answers import ledger
from tiebreak.errors import Refusal, Refused

HOSTILE = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "＝1",
    "=cmd|'/c calc'!A0",
    'Quote " and, comma',
    "Zoë 🦊",
    "<b>&amp;</b>",
    "_x0041_",
)


async def play(stage: Stage) -> None:
    """Names and typed answers as nobody should give them."""
    for number, name in enumerate(HOSTILE):
        player = await stage.player(name)
        await stage.answer(player, 0, number % 3, score=100 if number % 3 == 1 else 0, at=number * SECOND)
        await stage.answer(
            player, 3, ("\t" if number % 2 else "\r") + name, score=0, at=number * SECOND + 1, took=number * SECOND
        )
    await stage.player("Nothing answered")


def plain(cell: str) -> str:
    """A cell's text without the apostrophe that defused it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in FORMULA_SIGNS else cell


async def test_csv_is_the_ledger(database_url):
    """Every answer is in it once, with its participant, question and points; and no cell begins as a formula does."""
    async with staged(database_url) as stage:
        await play(stage)
        data = await stage.download(CSV)
        assert data.startswith(b"\xef\xbb\xbfrank,player,")
        assert data.replace(b"\r\n", b"").count(b"\n") == 0
        lines = [*csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)]
        assert [*lines[0]] == [*COLUMNS]
        assert not [cell for line in lines for cell in line.values() if cell[:1] in FORMULA_SIGNS and cell]
        answered = [line for line in lines if line["question"]]
        question_ids = [str(id_) for id_ in stage.scene.question_ids]
        assert sorted(
            (plain(line["player"]), question_ids[int(line["question"]) - 1], int(line["points"])) for line in answered
        ) == sorted((it.name, str(it.question_id), it.score) for it in await ledger(stage.pool, stage.id))
        assert {plain(line["answer"])[1:] for line in answered if line["question"] == "4"} == {*HOSTILE}
        [idle] = [line for line in lines if not line["question"]]
        assert (idle["player"], idle["rank"], idle["total"]) == ("Nothing answered", "", "0")


async def test_workbook_is_the_ledger(database_url):
    """Its three sheets, opened: numbers are numbers, hostile names are text, and there is no formula anywhere."""
    async with staged(database_url, live=True, teams=["Red", "Blue"]) as stage:
        for question in range(4):
            await stage.asked(question, opens=0, closes=20 * SECOND, shut=20 * SECOND)
        await play(stage)
        book = openpyxl.load_workbook(io.BytesIO(await stage.download(XLSX)))
        assert book.sheetnames == ["Ranking", "Answers", "Questions"]
        assert {sheet.freeze_panes for sheet in book} == {"C2"}
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
        ranking, answers, questions = ([*sheet.iter_rows(min_row=2, values_only=True)] for sheet in book)
        names = [row[1] for row in ranking]
        assert {*names} == {name.replace("_x0041_", "_x005F_x0041_") for name in HOSTILE} | {"Nothing answered"}
        results = await stage.results()
        assert [(row[0], row[3]) for row in ranking] == [(it["rank"], it["score"]) for it in results["participants"]]
        # Beside the total, the points of each question.
        assert all(sum(points or 0 for points in row[7:]) == row[3] for row in ranking)
        question_ids = [str(id_) for id_ in stage.scene.question_ids]
        assert sorted((row[2], row[5]) for row in answers) == sorted(
            (question_ids.index(str(it.question_id)) + 1, it.score) for it in await ledger(stage.pool, stage.id)
        )
        assert {row[6] for row in answers if row[2] == 4} == {*range(len(HOSTILE))}
        assert [(row[0], row[2], row[6], row[7]) for row in questions] == [
            (it["position"], it["prompt"], it["answered"], it["right"]) for it in results["questions"]
        ]
        assert questions[0][11] == "stone: 4; pear: 3; chair: 3"


async def test_json_is_the_whole_of_what_is_shown(database_url):
    """The same document, with all participants, however many pieces it is written in."""
    async with staged(database_url) as stage:
        await play(stage)
        for number in range(PARTICIPANTS_AT_ONCE):
            await stage.answer(await stage.player(f"Player {number}"), 2, True, score=100, at=SECOND)
        document = json.loads(await stage.download(JSON))
        assert document == await stage.results()
        assert len(document["participants"]) == document["count"] == PARTICIPANTS_AT_ONCE + len(HOSTILE) + 1


async def test_files_of_a_session_that_nobody_joined(database_url):
    """They can be opened."""
    async with staged(database_url) as stage:
        assert json.loads(await stage.download(JSON))["participants"] == []
        assert (await stage.download(CSV)).count(b"\r\n") == 1
        book = openpyxl.load_workbook(io.BytesIO(await stage.download(XLSX)))
        assert [sheet.max_row for sheet in book] == [1, 1, 5]


async def test_too_many_at_once(database_url):
    """What cannot be begun soon is refused, and does not wait without end; afterwards all is as before."""
    async with staged(database_url) as stage:
        asked = await asyncio.gather(*(stage.results() for _ in range(LONGEST_QUEUE + 5)), return_exceptions=True)
        refused = [it for it in asked if isinstance(it, Refused)]
        assert [it.refusal for it in refused] == [Refusal.BUSY] * 5
        assert (await stage.results())["count"] == 0
