"""Results over HTTP, of a session that was really played: while it runs, and after its end."""

import csv
import io

import openpyxl

from tests.client import QUESTIONS, RIGHT, WRONG


async def test_results_of_a_session(master):
    """The host sees ranks as on the board and can take all of it away; files have names, and nobody keeps them."""
    host = await master.account()
    session, questions = await master.session(host)
    players = [await master.guest(name) for name in ("Ann", "Bob", "=1+1")]
    for at, player in enumerate(players):
        assert (await player.join(session)).status_code == 200
        for number, question in enumerate(questions[: 4 - at]):
            answer = WRONG[number] if at == 1 and number == 0 else RIGHT[number]
            assert (await player.answer(session, question, answer)).status_code == 200
    for state in ("open", "finished"):
        results = (await host.get(f"/quiz-session/{session}/results")).json()
        assert results["session"]["state"] == state
        assert [(it["rank"], it["name"], it["score"]) for it in results["participants"]] == [
            (1, "Ann", 450), (2, "Bob", 200), (3, "=1+1", 200),
        ]  # fmt: skip
        assert results["hardest"][0] == questions[0]
        assert [it["answered"] for it in results["questions"]] == [3, 3, 2, 1]
        files = {}
        for ending, media_type in (
            ("json", "application/json"),
            ("csv", "text/csv; charset=utf-8"),
            ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ):
            response = await host.get(f"/quiz-session/{session}/results.{ending}")
            assert response.status_code == 200
            assert response.headers["content-type"] == media_type
            assert response.headers["cache-control"] == "no-store"
            disposition = response.headers["content-disposition"]
            assert disposition.startswith('attachment; filename="A quiz ')
            assert disposition.endswith(f".{ending}")
            assert int(response.headers["content-length"]) == len(response.content)
            files[ending] = response
        assert files["json"].json() == results
        lines = [*csv.DictReader(io.StringIO(files["csv"].content.decode("utf-8-sig"), newline=""))]
        assert len(lines) == 9
        assert {line["player"] for line in lines} == {"Ann", "Bob", "'=1+1"}
        book = openpyxl.load_workbook(io.BytesIO(files["xlsx"].content))
        assert [sheet.max_row for sheet in book] == [4, 10, 5]
        history = (await host.get(f"/quiz-session/{session}/board-history")).json()
        assert [(row["rank"], row["name"]) for row in history[-1]["rows"]] == [(1, "Ann"), (2, "Bob"), (3, "=1+1")]
        await host.post(f"/quiz-session/{session}/finish")


async def test_a_part_of_the_participants(master):
    """As many as are asked for, within what may be; the rest can be asked for after them."""
    host = await master.account()
    session, _ = await master.session(host, QUESTIONS[:1])
    for name in ("Ann", "Bob", "Cy"):
        await (await master.guest(name)).join(session)
    part = (await host.get(f"/quiz-session/{session}/results", limit=2, offset=1)).json()
    assert (part["count"], [it["name"] for it in part["participants"]]) == (3, ["Bob", "Cy"])
    for wrong in ({"limit": 0}, {"limit": 1_001}, {"offset": -1}):
        assert (await host.get(f"/quiz-session/{session}/results", **wrong)).status_code == 400
