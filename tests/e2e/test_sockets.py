"""Sockets: who may enter, what they are sent, and to whom."""

import asyncio
from uuid import uuid4

import pytest
import socketio

from tests.bad_tokens import bad_tokens
from tests.client import RIGHT, connected
from tiebreak.quiz.receipts import parse_receipt


async def test_connecting_needs_a_valid_token(system, master):
    """Without one, or with one that is not valid, the connection is refused with its reason."""
    for token in bad_tokens((await master.guest()).tokens["access_token"]).values():
        with pytest.raises(socketio.exceptions.ConnectionError):
            async with connected(system.base_url, token):
                pass


async def test_origins(system, master):
    """Our own page and programs may connect, somebody else's page may not, by either transport."""
    token = (await master.guest()).tokens["access_token"]
    for origin, allowed in ((system.base_url, True), ("https://evil.example", False), ("null", False)):
        handshake = await master.http.get("/socket.io/?EIO=4&transport=polling", headers={"Origin": origin})
        assert handshake.status_code == (200 if allowed else 403)
        try:
            async with connected(system.base_url, token, headers={"Origin": origin}, transports=["websocket"]):
                assert allowed
        except socketio.exceptions.ConnectionError:
            assert not allowed


async def test_entering(system, master):
    """Participants and the host enter and get a snapshot; others are refused."""
    host, ann, stranger = await master.account(), await master.guest("Ann"), await master.guest()
    session, questions = await master.session(host)
    await ann.join(session)
    async with connected(system.base_url, ann.tokens["access_token"]) as screen:
        assert (await screen.client.call("enter_session", {"quiz_session_id": str(uuid4())}))["code"] == (
            "session_not_found"
        )
        empty = await screen.client.call("enter_session", {"quiz_session_id": session})
        assert (empty["ok"], empty["participants"], empty["rows"]) == (True, 0, [])
        answer = {"quiz_session_id": session, "question_id": questions[0], "answer": 1, "answer_id": str(uuid4())}
        first = await screen.client.call("update_score", answer)
        assert (first["ok"], first["correct"], first["score"]) == (True, True, 100)
        assert parse_receipt(first["receipt"]).position == 1
        assert await screen.client.call("update_score", answer) == first
        assert {"ok": True, **(await ann.post("/update-score", answer)).json()} == first
        again = await screen.client.call("update_score", answer | {"answer_id": str(uuid4())})
        assert (again["ok"], again["code"]) == (False, "question_already_answered")
        await screen.until(lambda: screen.of("leaderboard_updating"))
        board = screen.of("leaderboard_updating")[-1]
        assert sorted(board) == ["epoch", "participants", "quiz_session_id", "rows", "version"]
        assert [(row["rank"], row["name"], row["score"]) for row in board["rows"]] == [(1, "Ann", 100)]
        part = await screen.client.call("get_leaderboard", {"quiz_session_id": session, "limit": 1, "around": "me"})
        assert part["me"] == part["rows"][0] == board["rows"][0]
        await screen.until(lambda: screen.of("score_update"))
        update = screen.of("score_update")[0]
        assert (update["more"], update["changes"][0]["score"]) == (0, 100)
        assert update["changes"][0]["question_id"] == questions[0]
    async with connected(system.base_url, host.tokens["access_token"]) as screen:
        snapshot = await screen.client.call("enter_session", {"quiz_session_id": session})
        assert snapshot["rows"] == board["rows"]
    async with connected(system.base_url, stranger.tokens["access_token"]) as screen:
        refused = await screen.client.call("enter_session", {"quiz_session_id": session})
        assert (refused["ok"], refused["code"]) == (False, "not_joined")


async def test_rooms_do_not_mix(system, master):
    """What happens in one session is heard there and nowhere else; who leaves hears no more."""
    host = await master.account()
    rooms = [await master.session(host) for _ in range(2)]
    players = [await master.guest(f"Player {at}") for at in range(2)]
    for (session, _), player in zip(rooms, players, strict=True):
        await player.join(session)
    async with (
        connected(system.base_url, players[0].tokens["access_token"]) as here,
        connected(system.base_url, players[1].tokens["access_token"]) as there,
    ):
        for screen, (session, _) in zip((here, there), rooms, strict=True):
            assert (await screen.client.call("enter_session", {"quiz_session_id": session}))["ok"]
        for at in range(4):
            await players[0].answer(rooms[0][0], rooms[0][1][at], RIGHT[at])
        await here.until(lambda: any(it["rows"][0]["score"] == 450 for it in here.of("leaderboard_updating")))
        await players[1].answer(rooms[1][0], rooms[1][1][0], RIGHT[0])
        await there.until(lambda: there.of("leaderboard_updating"))
        for screen, (session, _) in zip((here, there), rooms, strict=True):
            assert {payload["quiz_session_id"] for _, payload in screen.received} == {session}
        await here.client.call("leave_session", {"quiz_session_id": rooms[0][0]})
        before = len(here.received)
        await host.post(f"/quiz-session/{rooms[0][0]}/finish")
        await host.post(f"/quiz-session/{rooms[1][0]}/finish")
        await there.until(lambda: any(it["state"] == "finished" for it in there.of("session_update")))
        assert len(here.received) == before


async def test_versions_rise(system, master):
    """Boards of one epoch never go back."""
    session, questions = await master.session(await master.account())
    players = [await master.guest(f"Player {at}") for at in range(10)]
    await asyncio.gather(*(player.join(session) for player in players))
    async with connected(system.base_url, players[0].tokens["access_token"]) as screen:
        await screen.client.call("enter_session", {"quiz_session_id": session})
        for at in range(4):
            await asyncio.gather(*(player.answer(session, questions[at], RIGHT[at]) for player in players))
        await screen.until(
            lambda: any(all(row["score"] == 450 for row in it["rows"]) for it in screen.of("leaderboard_updating"))
        )
        boards = screen.of("leaderboard_updating")
        assert len({board["epoch"] for board in boards}) == 1
        assert [board["version"] for board in boards] == sorted(board["version"] for board in boards)


async def test_identity_of_a_socket_never_changes(system, master):
    """A message named "connect" with somebody else's token is no second handshake: it ends the connection."""
    ann, bob = await master.guest("Ann"), await master.guest("Bob")
    session, _ = await master.session(await master.account())
    await bob.join(session)
    async with connected(system.base_url, ann.tokens["access_token"]) as screen:
        await screen.client.emit("connect", ({}, {"token": bob.tokens["access_token"]}))
        with pytest.raises(socketio.exceptions.SocketIOError):
            await screen.client.call("enter_session", {"quiz_session_id": session}, timeout=5)
