"""The live game with 300 players at real sockets: what goes wrong in others, and must not in ours."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest
from websockets.asyncio.client import connect

from tests.client import Quizmaster
from tests.e2e.test_crowd import board_equals_ledger, counted, whole_board
from tests.live_room import Phone, Room, live_room
from tests.system import System

PLAYERS = 300
QUESTIONS = [
    {"type": "choice", "prompt": f"Question {at}", "choices": ["a", "b", "c", "d"], "answer": at % 4, "points": 100}
    for at in range(3)
]
# Of a question without a time of its own, and the most that a way is made up for: docs/live.md.
LIMIT_MS, CREDIT_MS = 20_000, 75
SLOW = {"close_when_all_answered": False}


async def answer(room: Room, phone: Phone, index: int, choice: int, answer_id: str | None = None):
    return await phone.caller.answer(room.session, room.questions[index], choice, answer_id or str(uuid4()))


@pytest.mark.timeout(300)
async def test_all_answer_at_once(system: System, master: Quizmaster) -> None:
    """Within 50 ms: ledger = acknowledgements = board; the board moves at the close, and not before."""
    async with live_room(system, master, QUESTIONS, PLAYERS, scoring="accuracy", **SLOW) as room:
        for index in range(2):
            before = await whole_board(room.host, room.session)
            await room.ask(index)
            for phone in room.phones:
                phone.received.clear()
            replies = await asyncio.gather(
                *(answer(room, phone, index, at % 4) for at, phone in enumerate(room.phones))
            )
            assert [it.status_code for it in replies] == [200] * PLAYERS
            # Nothing of it betrays the key.
            assert {(it.json()["correct"], it.json()["score"], it.json()["receipt"]) for it in replies} == {
                (None, None, None)
            }
            assert await whole_board(room.host, room.session) == before
            assert not room.phones[0].of("score_update")
            reveal = (await room.lead("close"))["reveal"]
            assert (reveal["answered"], reveal["right"]) == (PLAYERS, PLAYERS // 4)
            assert [it["count"] for it in reveal["distribution"]] == [PLAYERS // 4] * 4
            rows = await board_equals_ledger(system, room.host, room.session)
            assert sum(row["score"] for row in rows) == (index + 1) * 100 * PLAYERS // 4
            given = (index + 1) * PLAYERS
            assert await counted(system, room.session) == (given, given)
            last = room.phones[-1]
            await last.until(
                lambda last=last, rows=rows: (
                    last.of("leaderboard_updating")[-1:] and last.of("leaderboard_updating")[-1]["rows"] == rows[:10]
                )
            )


@pytest.mark.timeout(300)
async def test_messages_do_not_grow_with_the_room(system: System, master: Quizmaster) -> None:
    """From a question's opening to its reveal each phone gets a bounded number of messages, whatever N."""
    most: dict[int, int] = {}
    for players in (20, PLAYERS):
        async with live_room(system, master, QUESTIONS, players, **SLOW) as room:
            for phone in room.phones:
                phone.received.clear()
            await room.ask(0)
            await asyncio.gather(*(answer(room, phone, 0, at % 4) for at, phone in enumerate(room.phones)))
            await room.lead("close")
            results = await asyncio.gather(
                *(
                    phone.client.call("get_my_result", {"quiz_session_id": room.session}, timeout=30)
                    for phone in room.phones
                )
            )
            assert all(it["ok"] and it["answered"]["correct"] is not None for it in results)
            await asyncio.sleep(1)
            most[players] = max(len(phone.received) for phone in room.phones)
            kinds = Counter(name for name, _ in room.phones[0].received)
            assert kinds["game_update"] == 3, kinds
    assert most[PLAYERS] <= 20, most


@pytest.mark.timeout(300)
async def test_one_answer_five_times(system: System, master: Quizmaster) -> None:
    """Over two sockets and HTTP at the same instant: one answer, one score."""
    async with live_room(system, master, QUESTIONS, PLAYERS, scoring="accuracy", **SLOW) as room:
        phone, other, *_ = room.phones
        second = Phone(phone.caller, phone.participant_id, phone.name)
        await second.connect(system.base_url, room.session)
        await room.ask(0)
        ids = [str(uuid4()), str(uuid4())]
        body = {"quiz_session_id": room.session, "question_id": room.questions[0], "answer": 0}
        replies = await asyncio.gather(
            *(
                it.client.call("update_score", body | {"answer_id": ids[at]}, timeout=30)
                for at, it in enumerate((phone, second))
                for _ in range(2)
            ),
        )
        again = await answer(room, phone, 0, 0, ids[0])
        accepted = {it["participant_answer_id"] for it in replies if it["ok"]}
        assert len(accepted) == 1
        assert {it["code"] for it in replies if not it["ok"]} == {"question_already_answered"}
        assert again.status_code in {200, 400}
        await answer(room, other, 0, 1)
        await room.lead("close")
        rows = await board_equals_ledger(system, room.host, room.session)
        assert [row["score"] for row in rows] == [100, 0]
        await second.drop()


@pytest.mark.timeout(300)
async def test_two_sessions_at_once(system: System, master: Quizmaster) -> None:
    """No message of one reaches the other."""
    async with (
        live_room(system, master, QUESTIONS, PLAYERS // 2) as one,
        live_room(system, master, QUESTIONS, PLAYERS // 2) as other,
    ):
        for index in range(2):
            await asyncio.gather(one.ask(index), other.ask(index))
            await asyncio.gather(
                *(answer(room, phone, index, at % 4) for room in (one, other) for at, phone in enumerate(room.phones))
            )
            await asyncio.gather(one.wait("reveal", index), other.wait("reveal", index))
        for room in (one, other):
            heard = {payload["quiz_session_id"] for phone in room.phones for _, payload in phone.received}
            assert heard == {room.session}
        await asyncio.gather(*(board_equals_ledger(system, it.host, it.session) for it in (one, other)))


@pytest.mark.timeout(300)
async def test_answer_drop_reconnect(system: System, master: Quizmaster) -> None:
    """The answer given is kept and shown to whoever comes back, before the reveal and after it."""
    async with live_room(system, master, QUESTIONS, PLAYERS, scoring="accuracy", **SLOW) as room:
        phone = room.phones[0]
        await room.ask(0)
        answer_id = str(uuid4())
        first = await answer(room, phone, 0, 0, answer_id)
        await phone.drop()
        snapshot = await phone.connect(system.base_url, room.session)
        assert snapshot["game"]["phase"] == "question"
        assert 0 < snapshot["game"]["closes_in_ms"] <= 20_000
        mine = await room.result(phone)
        assert mine["answered"] == {"answer": 0, "correct": None, "score": None}
        assert mine["right_answer"] is None
        again = await answer(room, phone, 0, 0, answer_id)
        assert again.json() == first.json()
        await room.lead("close")
        await phone.drop()
        await phone.connect(system.base_url, room.session)
        mine = await room.result(phone)
        assert mine["answered"] == {"answer": 0, "correct": True, "score": 100}
        assert (mine["right_answer"], mine["streak"], mine["rank"]) == (0, 1, 1)


@pytest.mark.timeout(300)
async def test_host_reloads_and_changes_the_device(system: System, master: Quizmaster) -> None:
    """A second device of the host's leads on; the first one's late click does nothing; a player's is refused."""
    async with live_room(system, master, QUESTIONS, PLAYERS, **SLOW) as room:
        await room.ask(0)
        shown = await room.game()
        reloaded = await room.game()
        assert (reloaded["step"], reloaded["question"]) == (shown["step"], shown["question"])
        address = f"/quiz-session/{room.session}/game"
        closes = await asyncio.gather(
            *(room.host.post(address, {"command": "close", "step": shown["step"]}) for _ in range(4))
        )
        assert {it.status_code for it in closes} == {200}
        assert {(it.json()["phase"], it.json()["step"]) for it in closes} == {("reveal", shown["step"] + 1)}
        late = await room.host.post(address, {"command": "close", "step": shown["step"]})
        assert (late.status_code, late.json()["step"]) == (200, shown["step"] + 1)
        refused = await room.phones[0].caller.post(address, {"command": "next", "step": shown["step"] + 1})
        assert (refused.status_code, refused.json()["code"]) == (403, "not_the_host")
        assert (await room.game())["step"] == shown["step"] + 1


@pytest.mark.timeout(300)
async def test_late_joiner(system: System, master: Quizmaster) -> None:
    """Comes into the running question, with the time that is left."""
    async with live_room(system, master, QUESTIONS, PLAYERS, scoring="accuracy", **SLOW) as room:
        opened = await room.ask(0)
        await asyncio.sleep(1.2)
        late = await room.arrive("Late")
        game = (await late.connect(system.base_url, room.session))["game"]
        assert game["question"] == opened["question"]
        assert game["closes_in_ms"] <= opened["closes_in_ms"] - 1_000
        assert (await answer(room, late, 0, 0)).status_code == 200
        await room.lead("close")
        assert (await room.result(late))["answered"]["score"] == 100


@pytest.mark.timeout(300)
async def test_equal_points_share_a_place(system: System, master: Quizmaster) -> None:
    """Reached at other times, by other questions: the same place in Redis, SQL, exports and on every phone."""
    async with live_room(system, master, QUESTIONS, PLAYERS, scoring="accuracy", **SLOW) as room:
        for index in range(2):
            await room.ask(index)
            # A third is right in the first question only, a third in the second only, a third never.
            right = [at % 3 == index for at in range(PLAYERS)]
            await asyncio.gather(
                *(answer(room, phone, index, index if right[at] else 3) for at, phone in enumerate(room.phones))
            )
            await room.lead("close")
        rows = await board_equals_ledger(system, room.host, room.session)
        ranks = Counter((row["rank"], row["score"]) for row in rows)
        assert ranks == {(1, 100): 2 * PLAYERS // 3, (2 * PLAYERS // 3 + 1, 0): PLAYERS // 3}
        by_id = {row["quiz_session_participant_id"]: row for row in rows}
        results = await asyncio.gather(*(room.result(phone) for phone in room.phones))
        for phone, mine in zip(room.phones, results, strict=True):
            assert (mine["rank"], mine["score"]) == (by_id[phone.participant_id]["rank"], mine["score"])
            assert mine["next"] == (None if mine["rank"] == 1 else {"rank": 1, "points": 100})
        exported = (await room.host.get(f"/quiz-session/{room.session}/results.json")).json()["participants"]
        assert {it["quiz_session_participant_id"]: (it["rank"], it["score"]) for it in exported} == {
            id_: (row["rank"], row["score"]) for id_, row in by_id.items()
        }


@pytest.mark.timeout(300)
async def test_too_late_too_early(system: System, master: Quizmaster) -> None:
    """Refused with the reason, by HTTP and by socket, and counted for no other question."""
    async with live_room(system, master, QUESTIONS, PLAYERS, **SLOW) as room:
        phone, other, *_ = room.phones
        await room.lead("start")
        early = await answer(room, phone, 0, 0)
        assert (early.status_code, early.json()["code"]) == (400, "question_not_open")
        await room.wait("question")
        await room.lead("pause")
        paused = await answer(room, phone, 0, 0)
        assert (paused.status_code, paused.json()["code"]) == (400, "question_not_open")
        await room.lead("resume")
        assert (await answer(room, phone, 0, 0)).status_code == 200
        await room.lead("close")
        body = {"quiz_session_id": room.session, "question_id": room.questions[0], "answer": 0}
        late = await other.client.call("update_score", body, timeout=30)
        assert (late["ok"], late["code"]) == (False, "question_closed")
        await room.ask(1)
        late = await answer(room, other, 0, 0)
        assert (late.status_code, late.json()["code"]) == (400, "question_closed")
        assert await counted(system, room.session) == (1, 1)


@pytest.mark.timeout(300)
async def test_closes_when_all_who_are_there_have_answered(system: System, master: Quizmaster) -> None:
    """Whoever is offline does not hold the question open."""
    async with live_room(system, master, QUESTIONS, PLAYERS) as room:
        await room.ask(0)
        offline, thinking, *others = room.phones
        await offline.drop()
        replies = await asyncio.gather(*(answer(room, phone, 0, 0) for phone in others))
        assert [it.status_code for it in replies] == [200] * len(others)
        await asyncio.sleep(1.5)
        assert (await room.game())["phase"] == "question"
        assert (await answer(room, thinking, 0, 1)).status_code == 200
        await room.wait("reveal", 0, seconds=8)


@pytest.mark.timeout(300)
async def test_clocks_and_pings_of_clients(system: System, master: Quizmaster) -> None:
    """A time that a client claims is refused; whoever holds its answers to pings back gains the published cap."""
    questions = [QUESTIONS[0] | {"points": 10_000}]
    async with live_room(system, master, questions, PLAYERS, scoring="speed", **SLOW) as room:
        honest, stretcher, *_ = room.phones
        await stretcher.drop()
        async with stretched(system, stretcher):
            await room.ask(0)
            body = {"quiz_session_id": room.session, "question_id": room.questions[0], "answer": 0}
            claimed = await honest.caller.post("/update-score", body | {"answered_at_ms": 0})
            assert (claimed.status_code, claimed.json()["code"]) == (400, "request_invalid")
            await asyncio.sleep(2)
            for phone in (honest, stretcher):
                assert (await answer(room, phone, 0, 0)).status_code == 200
            await room.lead("close")
        database = await asyncpg.connect(system.database_url)
        for phone, possible in ((honest, range(CREDIT_MS + 1)), (stretcher, [CREDIT_MS])):
            row = await database.fetchrow(
                "SELECT score, response_ms FROM participant_answers WHERE quiz_session_participant_id = $1",
                phone.participant_id,
            )
            assert row["response_ms"] >= 2_000
            # round((1 - (t/T)/2) x P), half up, as docs/scoring.md has it.
            assert row["score"] in {
                int((1 - (row["response_ms"] - credit) / LIMIT_MS / 2) * 10_000 + 0.5) for credit in possible
            }
        await database.close()


@asynccontextmanager
async def stretched(system: System, phone: Phone) -> AsyncIterator[None]:
    """A socket of the phone's user that has answered its first ping a second late, and no sooner."""
    address = system.base_url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    async with connect(address) as socket:
        await socket.recv()
        await socket.send("40" + json.dumps({"token": phone.caller.tokens["access_token"]}))
        while await socket.recv() != "2":
            pass
        await asyncio.sleep(1)
        await socket.send("3")
        # What was sent is read in order: once this is answered, the answer to the ping has been read.
        await socket.send('420["leave_session",{"quiz_session_id":"' + str(uuid4()) + '"}]')
        while not str(await socket.recv()).startswith("430"):
            pass
        yield
