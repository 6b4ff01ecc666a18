"""kill -9 in the middle of a run: what was acknowledged counts once, and screens go on by themselves."""

import asyncio
import contextlib
from functools import partial
from uuid import uuid4

import httpx
import pytest
import socketio
from redis.asyncio import Redis

from tests.client import RIGHT, WRONG, connected, quizmaster
from tests.e2e.test_crowd import board_equals_ledger, counted
from tests.system import running_system
from tiebreak.cache.keys import board_keys

PLAYERS = 12
QUESTIONS = [
    {"type": "true_false", "prompt": f"Question {number}", "answer": True, "points": 10 + number}
    for number in range(20)
]


async def insist(attempt):
    """Repeat a request until it is answered other than by an outage, as our web client does."""
    for _ in range(200):
        with contextlib.suppress(httpx.TransportError):
            response = await attempt()
            if response.status_code < 500:
                return response
        await asyncio.sleep(0.05)
    raise AssertionError("no answer")


async def play(player, session, questions, pace_seconds):
    """Answer every question; how many were acknowledged."""
    acknowledged = 0
    for at, question in enumerate(questions):
        response = await insist(partial(player.answer, session, question, at % 4 != 0, str(uuid4())))
        assert response.status_code == 200, response.text
        acknowledged += 1
        await asyncio.sleep(pace_seconds)
    return acknowledged


@pytest.mark.parametrize(
    "victim", ["publisher-worker", "cache-worker", "app-server", "auth-server", "valkey", "postgres"]
)
async def test_kill_in_the_middle_of_a_run(victim):
    """Twice in a run the victim is killed; the run ends complete, and within 10 s board = ledger."""
    with running_system() as system:
        async with quizmaster(system.base_url) as master:
            host = await master.account()
            session, questions = await master.session(host, QUESTIONS)
            players = [await master.guest(f"Player {at}") for at in range(PLAYERS)]
            for player in players:
                assert (await player.join(session)).status_code == 200
            async with connected(system.base_url, players[0].tokens["access_token"], reconnection=True) as screen:

                async def enter() -> None:
                    await screen.client.emit("enter_session", {"quiz_session_id": session})

                screen.client.on("connect", enter)
                await enter()
                run = asyncio.gather(*(play(player, session, questions, 0.15) for player in players))
                for _ in range(2):
                    await asyncio.sleep(1.0)
                    system.kill(victim)
                acknowledged = sum(await run)
                assert acknowledged == PLAYERS * len(QUESTIONS)
                rows = await board_equals_ledger(system, host, session, seconds=10)
                assert len(rows) == PLAYERS
                assert await counted(system, session) == (acknowledged, acknowledged)
                # Or more often: a third start of Postgres was seen once, under load; why is not known yet.
                assert sum(victim in line and "starting it again" in line for line in system.lines) >= 2

                # The screen has the final top without having asked for it, or is given it when it comes back.
                async def snapshot():
                    with contextlib.suppress(socketio.exceptions.SocketIOError):
                        return (await screen.client.call("get_leaderboard", {"quiz_session_id": session})).get("rows")

                async with asyncio.timeout(10):
                    while not screen.client.connected or await snapshot() != rows[:10]:
                        await asyncio.sleep(0.1)
                if victim in {"publisher-worker", "cache-worker", "auth-server"}:
                    await screen.until(lambda: screen.of("leaderboard_updating")[-1]["rows"] == rows[:10])


async def test_stop_and_start_again(tmp_path):
    """Users, sessions, answers and boards are as before, and the session goes on."""
    with running_system(tmp_path) as system:
        async with quizmaster(system.base_url) as master:
            host, ann = await master.account(), await master.guest("Ann")
            session, questions = await master.session(host)
            await ann.join(session)
            answer_id = str(uuid4())
            first = await ann.answer(session, questions[0], RIGHT[0], answer_id)
            before = await board_equals_ledger(system, ann, session)
            board = await ann.leaderboard(session)
    with running_system(tmp_path) as system:
        async with quizmaster(system.base_url) as master:
            again = await master.http.post("/auth/refresh", json={"refresh_token": ann.tokens["refresh_token"]})
            assert again.json()["user_id"] == ann.tokens["user_id"]
            for caller in (host, ann):
                caller.http = master.http
            # Of another epoch: boards from before a restart of Redis are built anew.
            assert (await ann.leaderboard(session))["rows"] == board["rows"]
            assert await board_equals_ledger(system, ann, session) == before
            assert (await ann.answer(session, questions[0], WRONG[0], answer_id)).json() == first.json()
            assert (await ann.answer(session, questions[1], RIGHT[1])).status_code == 200
            assert (await board_equals_ledger(system, ann, session))[0]["score"] == 200
            [listed] = (await host.get("/quiz-session")).json()["quiz_sessions"]
            assert (listed["quiz_session_id"], listed["state"], listed["answer_count"]) == (session, "open", 2)


async def test_board_that_the_cache_lost_is_built_again(system, master):
    """A board thrown away comes back from the ledger when somebody looks, identical, ties included."""
    host = await master.account()
    session, questions = await master.session(host)
    players = [await master.guest(f"Player {at}") for at in range(5)]
    for player in players:
        await player.join(session)
    for at, question in enumerate(questions):
        await asyncio.gather(*(player.answer(session, question, RIGHT[at]) for player in players))
    before = await board_equals_ledger(system, host, session)
    async with Redis.from_url(system.redis_url) as redis:
        await redis.delete(*board_keys(session))
    assert await board_equals_ledger(system, host, session, seconds=1) == before
    assert await counted(system, session) == (20, 20)
