"""Results over HTTP, of a session that was really played: while it runs, and after its end."""

import csv
import io

import openpyxl

from tests.client import QUESTIONS, RIGHT, WRONG
from tests.live_room import live_room


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


async def test_results_of_a_live_game(system, master):
    """Ranks and points are the board's and the phones'; texts those that were tapped, in the order they were shown in.

    A pause is nobody's time; a question that is open shows nothing until the game is over.
    """
    questions = [QUESTIONS[0], QUESTIONS[1], {"type": "poll", "prompt": "Tea?", "choices": ["Yes", "No"]}]
    async with live_room(system, master, questions, 4, shuffle_choices=True, close_when_all_answered=False) as room:
        asked = (await room.ask(0))["question"]
        tapped = [asked["choices"].index(text) for text in ("pear", "pear", "stone", "chair")]
        for at, phone in enumerate(room.phones[:3]):
            assert (await phone.caller.answer(room.session, room.questions[0], tapped[at])).status_code == 200
        await room.lead("pause")
        await room.lead("resume")
        assert (await room.phones[3].caller.answer(room.session, room.questions[0], tapped[3])).status_code == 200
        open_still = (await room.host.get(f"/quiz-session/{room.session}/results")).json()
        assert (open_still["questions"][0]["answered"], open_still["questions"][0]["right_answer"]) == (0, None)
        assert {it["rank"] for it in open_still["participants"]} == {None}
        await room.lead("close")

        results = (await room.host.get(f"/quiz-session/{room.session}/results")).json()
        assert (results["session"]["mode"], results["session"]["scoring"]) == ("live", "speed")
        given = {it["quiz_session_participant_id"]: it for it in results["participants"]}
        for phone, text in zip(room.phones, ("pear", "pear", "stone", "chair"), strict=True):
            mine, row = await room.result(phone), given[phone.participant_id]
            answer = row["answers"][room.questions[0]]
            assert (row["rank"], row["score"]) == (mine["rank"], mine["score"])
            assert (answer["answer"], answer["correct"]) == (text, text == "pear")
            assert (answer["score"], answer["correct"]) == (mine["answered"]["score"], mine["answered"]["correct"])
            assert 0 <= answer["response_ms"] < 20_000
        question = results["questions"][0]
        assert (question["answered"], question["right"], question["right_answer"]) == (4, 2, "pear")
        assert {it["answer"]: it["count"] for it in question["distribution"]} == {"stone": 1, "pear": 2, "chair": 1}
        assert [it["answer"] for it in question["distribution"]] == asked["choices"]

        await room.ask(1)
        await room.phones[2].caller.answer(room.session, room.questions[1], [0])
        await room.lead("end")
        await room.lead("end")
        results = (await room.host.get(f"/quiz-session/{room.session}/results")).json()
        assert (results["session"]["state"], [it["asked"] for it in results["questions"]]) == (
            "finished",
            [True, True, False],
        )
        board = (await room.host.leaderboard(room.session, limit=10))["rows"]
        assert [(it["rank"], it["quiz_session_participant_id"], it["score"]) for it in results["participants"]] == [
            (row["rank"], row["quiz_session_participant_id"], row["score"]) for row in board
        ]
        history = (await room.host.get(f"/quiz-session/{room.session}/board-history")).json()
        assert [it["question_index"] for it in history] == [0, 1]
        assert history[-1]["rows"] == board
