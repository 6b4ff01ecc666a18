"""kill -9 of each process between the opening and the closing of a question: the room goes on, no answer is lost."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from time import monotonic
from uuid import uuid4

import httpx
import pytest

from tests.client import quizmaster
from tests.e2e.test_crowd import board_equals_ledger, counted
from tests.e2e.test_deaths import insist
from tests.live_room import Phone, Room, live_room
from tests.system import running_system

PLAYERS = 12
GOES_ON_SECONDS = 5.0
QUESTIONS = [
    {"type": "true_false", "prompt": f"Question {at}", "answer": True, "time_limit_ms": 12_000} for at in range(2)
]


async def comes_back(phone: Phone, room: Room) -> None:
    """As our web client does: connect anew until it is let in."""
    with contextlib.suppress(Exception):
        await phone.drop()
    async with asyncio.timeout(GOES_ON_SECONDS * 2):
        while True:
            with contextlib.suppress(Exception):
                if (await phone.connect(room.system.base_url, room.session))["ok"]:
                    return
            await asyncio.sleep(0.1)


async def phase_of(room: Room) -> str:
    """What the host's screen is told; nothing while nobody answers."""
    with contextlib.suppress(httpx.TransportError, AssertionError):
        return (await room.game())["phase"]
    return ""


@pytest.mark.parametrize(
    "victim", ["app-server", "auth-server", "publisher-worker", "cache-worker", "valkey", "postgres"]
)
@pytest.mark.timeout(180)
async def test_kill_in_the_middle_of_a_question(victim: str) -> None:
    """Half have answered, the victim dies, the others answer; the question closes, and every answer counts."""
    with running_system() as system:
        async with (
            quizmaster(system.base_url) as master,
            live_room(system, master, QUESTIONS, PLAYERS, scoring="accuracy", close_when_all_answered=False) as room,
        ):
            await room.ask(0)
            answer = [
                partial(phone.caller.answer, room.session, room.questions[0], at % 2 == 0, str(uuid4()))
                for at, phone in enumerate(room.phones)
            ]
            first = await asyncio.gather(*(insist(it) for it in answer[: PLAYERS // 2]))
            system.kill(victim)
            killed_at = monotonic()
            second = await asyncio.gather(*(insist(it) for it in answer[PLAYERS // 2 :]))
            assert [it.status_code for it in first + second] == [200] * PLAYERS
            while not await phase_of(room):
                await asyncio.sleep(0.05)
            assert monotonic() - killed_at < GOES_ON_SECONDS
            # The same answers again, as from phones that lost the reply: the first outcome.
            again = await asyncio.gather(*(insist(it) for it in answer))
            assert [it.json() for it in again] == [it.json() for it in first + second]
            await asyncio.gather(*(comes_back(phone, room) for phone in room.phones))
            while await phase_of(room) != "reveal":
                await asyncio.sleep(0.05)
            rows = await board_equals_ledger(system, room.host, room.session)
            assert [row["score"] for row in rows] == [100] * (PLAYERS // 2) + [0] * (PLAYERS // 2)
            assert await counted(system, room.session) == (PLAYERS, PLAYERS)
            # Every phone was told of the reveal, and the game can be led on.
            await asyncio.gather(
                *(
                    phone.until(lambda phone=phone: any(it["phase"] == "reveal" for it in phone.of("game_update")))
                    for phone in room.phones
                )
            )
            await room.lead("next")
            await room.ask(1)
