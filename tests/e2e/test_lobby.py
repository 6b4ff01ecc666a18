"""The lobby of a live session on a whole system: who is in it, and what a host does with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.client import RIGHT, WRONG, Caller, Quizmaster, Screen, connected
from tests.scene import opened_pool
from tests.system import System
from tiebreak.database.pool import Pool


@dataclass
class Hall:
    """A host with a live session, and sockets for who wants one."""

    system: System
    master: Quizmaster
    pool: Pool
    host: Caller
    session: str
    questions: list[str]
    stack: AsyncExitStack

    @classmethod
    async def opened(
        cls, system: System, master: Quizmaster, pool: Pool, host: Caller, stack: AsyncExitStack, **options: Any
    ) -> Hall:
        quiz_id, questions = await master.quiz(host)
        # The host alone closes questions: a command may not come upon a game that has moved on.
        body = {
            "quiz_id": quiz_id,
            "mode": "live",
            "teams": ["Red", "Blue"],
            "close_when_all_answered": False,
            **options,
        }
        response = await host.post("/quiz-session", body)
        assert response.status_code == 201, response.text
        return cls(system, master, pool, host, response.json()["quiz_session_id"], questions, stack)

    async def lead(self, command: str) -> None:
        """A host's command, whatever the step."""
        path = f"/quiz-session/{self.session}/game"
        step = (await self.host.get(path)).json()["step"]
        response = await self.host.post(path, {"command": command, "step": step})
        assert response.status_code == 200, response.text

    async def player(self, name: str, **body: Any) -> tuple[Caller, str]:
        """A guest who has joined, and the participant's id."""
        guest = await self.master.guest(name)
        joined = await self.join(guest, name=name, **body)
        assert joined.status_code == 200, joined.text
        return guest, joined.json()["quiz_session_participant_id"]

    async def join(self, caller: Caller, **body: Any):
        return await caller.post(f"/quiz-session/{self.session}/join", body)

    async def change(self, participant: str, caller: Caller | None = None, **body: Any):
        return await (caller or self.host).post(f"/quiz-session/{self.session}/participants/{participant}", body)

    async def participants(self, caller: Caller | None = None, **parameters: Any) -> dict[str, Any]:
        response = await (caller or self.host).get(f"/quiz-session/{self.session}/participants", **parameters)
        assert response.status_code == 200, response.text
        return response.json()

    async def screen(self, caller: Caller, *, enters: bool = True) -> Screen:
        screen = await self.stack.enter_async_context(connected(self.system.base_url, caller.tokens["access_token"]))
        for event in ("players_update", "removed"):
            screen.client.on(event, screen._keep(event))
        if enters:
            assert (await self.enter(screen))["ok"]
        return screen

    async def enter(self, screen: Screen) -> dict[str, Any]:
        return await screen.client.call("enter_session", {"quiz_session_id": self.session}, timeout=10)

    async def board(self, caller: Caller | None = None) -> list[tuple[str, int]]:
        board = await (caller or self.host).leaderboard(self.session)
        return [(row["name"], row["score"]) for row in board["rows"]]


@pytest.fixture
async def hall(system: System, master: Quizmaster) -> AsyncIterator[Hall]:
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(opened_pool(system.database_url))
        host = await master.account("Host")
        yield await Hall.opened(system, master, pool, host, stack)


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


async def test_a_host_sees_who_is_there(hall: Hall) -> None:
    """In the order of their coming, in parts, with teams; and whose phone is connected."""
    players = [await hall.player(name) for name in ("Ann", "Bob", "Cat")]
    await hall.screen(players[1][0])
    listed = await hall.participants()
    assert listed["count"] == 3
    seen = [(it["name"], it["team"], it["extra_time_percent"], it["here"]) for it in listed["participants"]]
    assert seen == [("Ann", "Red", 0, False), ("Bob", "Blue", 0, True), ("Cat", "Red", 0, False)]
    part = await hall.participants(limit=1, offset=1)
    assert ([it["name"] for it in part["participants"]], part["count"]) == (["Bob"], 3)


async def test_the_room_reads_the_names_of_who_joins(hall: Hall) -> None:
    """And of who is gone again, it reads no more."""
    projector = await hall.screen(hall.host)
    _, ann = await hall.player("Ann")
    await hall.player("Bob")
    await projector.until(lambda: [it for it in projector.of("players_update") if it["joined"] == ["Bob", "Ann"]])
    assert (await hall.change(ann, action="kick")).status_code == 200
    await projector.until(lambda: [it for it in projector.of("players_update") if it["joined"] == ["Bob"]])


async def test_names_are_had_once_and_can_be_changed_by_the_host(hall: Hall) -> None:
    """Look-alikes are refused, to players and to the host."""
    await hall.player("Ann")
    _, bob = await hall.player("Bob")
    other = await hall.master.guest("Other")
    assert code(await hall.join(other, name="ANN")) == (409, "name_taken")
    assert code(await hall.join(other, name="Fuck")) == (400, "name_refused")
    assert code(await hall.change(bob, action="rename", name="\u0410nn")) == (409, "name_taken")
    assert code(await hall.change(bob, action="rename", name="\u2800")) == (400, "name_refused")
    assert code(await hall.change(bob, action="rename", name="  ")) == (400, "request_invalid")
    renamed = await hall.change(bob, action="rename", name="Robert")
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Robert")
    assert (await hall.join(other, name="Bob")).status_code == 200


async def test_who_is_removed_is_out_of_the_room_and_may_come_back(hall: Hall) -> None:
    """The phone is told, hears nothing more, and is refused; joining again, it is the same participant."""
    player, participant = await hall.player("Ann")
    screen = await hall.screen(player)
    answered = await hall.change(participant, action="kick")
    assert (answered.status_code, answered.json()["here"]) == (200, False)
    await screen.until(lambda: screen.of("removed"))
    assert screen.of("removed") == [{"quiz_session_id": hall.session, "banned": False}]
    assert (await hall.enter(screen))["code"] == "not_joined"
    assert code(await player.get(f"/quiz-session/{hall.session}/questions")) == (403, "not_joined")
    assert (await hall.participants())["count"] == 0
    heard = len(screen.received)
    await hall.player("Bob")
    projector = await hall.screen(hall.host)
    await projector.until(lambda: projector.of("players_update") or projector.of("session_update"))
    assert len(screen.received) == heard
    again = await hall.join(player, name="Annie")
    assert (again.status_code, again.json()["quiz_session_participant_id"]) == (200, participant)
    assert (await hall.enter(screen))["ok"]


async def test_who_is_banned_stays_out(hall: Hall) -> None:
    """Under any name; being removed once more does not change it."""
    player, participant = await hall.player("Ann")
    assert (await hall.change(participant, action="ban")).status_code == 200
    for name in ("Ann", "Somebody else"):
        assert code(await hall.join(player, name=name)) == (403, "banned")
    assert (await hall.change(participant, action="kick")).status_code == 200
    assert code(await hall.join(player, name="Ann")) == (403, "banned")
    assert code(await hall.change(participant, action="rename", name="X")) == (404, "participant_not_found")


async def test_extra_time_and_teams(hall: Hall) -> None:
    """As far as they go."""
    _, ann = await hall.player("Ann", team="Blue")
    given = await hall.change(ann, action="extra_time", percent=50)
    assert (given.json()["extra_time_percent"], given.json()["team"]) == (50, "Blue")
    moved = await hall.change(ann, action="team", team=0)
    assert (moved.json()["extra_time_percent"], moved.json()["team"]) == (50, "Red")
    assert code(await hall.change(ann, action="team", team="Green")) == (400, "team_unknown")
    for body in (
        {"action": "extra_time", "percent": 401},
        {"action": "extra_time", "percent": -1},
        {"action": "extra_time"},
        {"action": "kick", "name": "X"},
        {"action": "promote"},
        {"action": "team", "team": None},
    ):
        assert code(await hall.change(ann, **body)) == (400, "request_invalid"), body


async def test_the_door(hall: Hall) -> None:
    """Locked, or closed when the game begins; hosts do not play."""
    guests = [await hall.master.guest(f"Guest {at}") for at in range(3)]
    await hall.lead("lock")
    assert code(await hall.join(guests[0])) == (403, "session_locked")
    await hall.lead("unlock")
    assert (await hall.join(guests[0])).status_code == 200
    assert code(await hall.join(hall.host)) == (403, "hosts_do_not_play")
    await hall.lead("start")
    assert (await hall.join(guests[1])).status_code == 200
    strict = await Hall.opened(hall.system, hall.master, hall.pool, hall.host, hall.stack, late_join=False)
    await strict.lead("start")
    assert code(await strict.join(guests[2])) == (403, "joining_closed")


async def test_a_co_host_is_host(hall: Hall) -> None:
    """In the room, the questions with their keys, the list of sessions, players and the end; until removed."""
    email = f"{hall.session}@example.com"
    register = {"email": email, "password": "correct horse battery", "name": "Helper"}
    helper = Caller(hall.master.http, await hall.master._tokens("/auth/register", register))
    hosts = f"/quiz-session/{hall.session}/hosts"
    _, ann = await hall.player("Ann")
    assert code(await helper.get(hosts)) == (403, "not_the_host")
    added = await hall.host.post(hosts, {"email": f" {email.upper()} "})
    assert [(it["name"], it["role"]) for it in added.json()["hosts"]] == [("Host", "host"), ("Helper", "co_host")]
    assert (await hall.host.post(hosts, {"email": email})).json() == added.json()
    assert (await helper.get(hosts)).json() == added.json()
    screen = await hall.screen(helper)
    assert screen
    questions = (await helper.get(f"/quiz-session/{hall.session}/questions")).json()
    assert all("answer" in it for it in questions["questions"])
    assert hall.session in {it["quiz_session_id"] for it in (await helper.get("/quiz-session")).json()["quiz_sessions"]}
    assert (await hall.change(ann, helper, action="extra_time", percent=10)).status_code == 200
    assert code(await hall.join(helper)) == (403, "hosts_do_not_play")
    # The quiz stays its owner's.
    quiz_id = await hall.pool.fetchval("SELECT quiz_id FROM quiz_sessions WHERE id = $1", hall.session)
    assert code(await helper.get(f"/quizzes/{quiz_id}")) == (403, "not_the_owner")
    helpers_id, hosts_id = helper.tokens["user_id"], hall.host.tokens["user_id"]
    # Nobody takes the session from who opened it.
    assert (await helper.delete(f"{hosts}/{hosts_id}")).status_code == 204
    assert (await hall.host.get(hosts)).json() == added.json()
    assert (await hall.host.delete(f"{hosts}/{helpers_id}")).status_code == 204
    assert code(await helper.post(f"/quiz-session/{hall.session}/finish")) == (403, "not_the_host")
    await hall.host.post(hosts, {"email": email})
    assert (await helper.post(f"/quiz-session/{hall.session}/finish")).status_code == 200


async def test_players_never_become_hosts(hall: Hall) -> None:
    """Not by an account that plays, nor one that was removed; and not in a session that nobody leads."""
    email = f"{hall.session}@example.net"
    register = {"email": email, "password": "correct horse battery", "name": "Player"}
    player = Caller(hall.master.http, await hall.master._tokens("/auth/register", register))
    participant = (await hall.join(player, name="Ann")).json()["quiz_session_participant_id"]
    hosts = f"/quiz-session/{hall.session}/hosts"
    assert code(await hall.host.post(hosts, {"email": email})) == (409, "plays_already")
    await hall.change(participant, action="kick")
    assert code(await hall.host.post(hosts, {"email": email})) == (409, "plays_already")
    assert code(await player.post(f"/quiz-session/{hall.session}/finish")) == (403, "not_the_host")
    self_paced, _ = await hall.master.session(hall.host)
    assert code(await hall.host.post(f"/quiz-session/{self_paced}/hosts", {"email": email})) == (
        409,
        "session_not_live",
    )
    assert code(await hall.host.post(hosts, {"email": "nobody at all"})) == (400, "request_invalid")


async def test_suggested_names(hall: Hall) -> None:
    """For anybody, in two languages."""
    english, german = [
        (await hall.master.http.get("/names/suggestion", params=parameters)).json()["name"]
        for parameters in ({}, {"language": "de"})
    ]
    assert len(english.split()) == len(german.split()) == 2
    assert code(await hall.master.http.get("/names/suggestion", params={"language": "fr"})) == (400, "request_invalid")


async def reached(hall: Hall, phase: str) -> dict[str, Any]:
    """Wait for the game to be there."""
    async with asyncio.timeout(20):
        while (game := (await hall.host.get(f"/quiz-session/{hall.session}/game")).json())["phase"] != phase:
            await asyncio.sleep(0.05)
    return game


async def board_has(hall: Hall, names: list[str]) -> dict[str, Any]:
    """Wait for the board to have these names, in their order."""
    async with asyncio.timeout(20):
        while True:
            board = await hall.host.leaderboard(hall.session)
            if [row["name"] for row in board["rows"]] == names:
                return board
            await asyncio.sleep(0.05)


async def test_the_board_follows_who_is_in_it(hall: Hall) -> None:
    """Renamed, removed, back with the points from before: each time under a new epoch, which the room is shown."""
    ann, anns_id = await hall.player("Ann", team="Red")
    bob, bobs_id = await hall.player("Bob", team="Blue")
    projector = await hall.screen(hall.host)
    await hall.lead("start")
    question = (await reached(hall, "question"))["question"]["question_id"]
    given = await ann.answer(hall.session, question, RIGHT[0])
    assert given.status_code == 200, given.text
    assert (await bob.answer(hall.session, question, WRONG[0])).status_code == 200
    await hall.lead("close")
    await reached(hall, "reveal")
    epochs = [(await board_has(hall, ["Ann", "Bob"]))["epoch"]]
    assert (await hall.change(bobs_id, action="rename", name="Robert")).status_code == 200
    epochs.append((await board_has(hall, ["Ann", "Robert"]))["epoch"])
    assert (await hall.change(anns_id, action="kick")).status_code == 200
    epochs.append((await board_has(hall, ["Robert"]))["epoch"])
    await projector.until(lambda: projector.of("leaderboard_updating")[-1]["epoch"] == epochs[-1])
    assert (await hall.join(ann, name="Anne")).status_code == 200
    board = await board_has(hall, ["Anne", "Robert"])
    assert board["rows"][0]["score"] > 0
    assert len({*epochs, board["epoch"]}) == 4


async def test_teams_have_points(hall: Hall) -> None:
    """On the board of the game, from the moment the board is shown."""
    players = [await hall.player(name, team=team) for name, team in (("Ann", "Red"), ("Bob", "Red"), ("Cat", "Blue"))]
    await hall.lead("start")
    question = (await reached(hall, "question"))["question"]["question_id"]
    for (caller, _), answer in zip(players, (RIGHT[0], WRONG[0], RIGHT[0]), strict=True):
        assert (await caller.answer(hall.session, question, answer)).status_code == 200
    await hall.lead("close")
    assert (await reached(hall, "reveal"))["team_board"] is None
    await hall.lead("next")
    rows = (await reached(hall, "board"))["team_board"]
    assert [(row["team"], row["players"]) for row in rows] == [("Blue", 1), ("Red", 2)]
    assert 0 < rows[1]["score"] < rows[0]["score"]
