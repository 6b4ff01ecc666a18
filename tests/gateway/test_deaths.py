"""kill -9 of an app server behind the gateway, under load: at most what was under way there fails, nothing is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from uuid import uuid4

import httpx
import pytest

from tests.client import Caller, quizmaster
from tests.e2e.test_crowd import board_equals_ledger, counted
from tests.gateway.browser import TRANSPORTS, opened
from tests.system import running_system

PLAYERS = 10
QUESTIONS = [{"type": "true_false", "prompt": f"Question {number}", "answer": True} for number in range(30)]
PACE_SECONDS = 0.1
AGAIN_SECONDS = 0.3  # clients do not hurry


async def play(player: Caller, session: str, questions: list[str], failures: Counter[str]) -> int:
    """Answer every question, repeating what was not answered; how many were acknowledged."""
    acknowledged = 0
    for question in questions:
        answer = partial(player.answer, session, question, True, str(uuid4()))
        while True:
            try:
                response = await answer()
            except httpx.TransportError as error:
                failures[repr(error)] += 1
            else:
                if response.status_code < 500:
                    break
                failures[response.text] += 1
            await asyncio.sleep(AGAIN_SECONDS)
        assert response.status_code == 200, response.text
        acknowledged += 1
        await asyncio.sleep(PACE_SECONDS)
    return acknowledged


@pytest.mark.parametrize(("transport", "victim"), [("websocket", "app-server-1"), ("polling", "app-server-2")])
async def test_an_app_server_dies(transport: str, victim: str) -> None:
    """Each player has one request under way, so a death fails at most one of each; sockets come back elsewhere."""
    with running_system(None, "--gateway") as system:
        async with quizmaster(system.base_url) as master:
            host = await master.account()
            session, questions = await master.session(host, QUESTIONS)
            players = [await master.guest(f"Player {at}") for at in range(PLAYERS)]
            for player in players:
                assert (await player.join(session)).status_code == 200
            token = players[0].tokens["access_token"]
            async with opened(system.base_url, token, TRANSPORTS[transport], reconnection=True) as screen:

                async def enter() -> None:
                    await screen.client.emit("enter_session", {"quiz_session_id": session})

                screen.client.on("connect", enter)
                await enter()
                failures: Counter[str] = Counter()
                run = asyncio.gather(*(play(player, session, questions, failures) for player in players))
                await asyncio.sleep(1.2)
                system.kill(victim)
                assert sum(await run) == PLAYERS * len(QUESTIONS)
                assert failures.total() <= PLAYERS, failures
                assert system.said(f"{victim} ended by SIGKILL; starting it again")
                rows = await board_equals_ledger(system, host, session, seconds=10)
                assert await counted(system, session) == (PLAYERS * len(QUESTIONS),) * 2

                async def snapshot() -> list[dict]:
                    return (await screen.client.call("get_leaderboard", {"quiz_session_id": session}))["rows"]

                async with asyncio.timeout(20):
                    while not screen.client.connected or await snapshot() != rows[:10]:
                        await asyncio.sleep(0.1)
