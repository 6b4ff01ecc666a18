"""Whether log-ins can starve answers: `.venv/bin/python -m bench.login_flood`.

A whole `tiebreak up` on this machine. Answers come at a steady rate, each on its own, and are timed from when they are
due. Meanwhile, in every second round, more log-ins than the hashers can take come from as many addresses as there are,
so that no limit on an address helps. What an answer then takes, beside what it took without.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import time
from typing import NamedTuple
from uuid import uuid4

import aiohttp

from bench.machine import machine, one_line
from tests.client import QUESTIONS
from tests.system import running_system

PASSWORD = "correct horse battery"
FLOODERS = 40
# After a 503: a flooder that does not wait floods the HTTP server, not the hashers.
BUSY_SECONDS = 0.1


class Round(NamedTuple):
    """Milliseconds of each answer, and what became of the log-ins meanwhile."""

    answer_ms: list[float]
    hashed: int
    busy: int


class Flood:
    """Log-ins with wrong passwords, for as long as the context lasts."""

    def __init__(self, http: aiohttp.ClientSession, email: str) -> None:
        self._http = http
        self._email = email
        self._addresses = (f"198.{18 + n // 65536 % 2}.{n // 256 % 256}.{n % 256}" for n in itertools.count())
        self.hashed = self.busy = 0

    async def __aenter__(self) -> Flood:
        self._tasks = [asyncio.create_task(self._flood()) for _ in range(FLOODERS)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _flood(self) -> None:
        body = {"email": self._email, "password": "wrong horse battery"}
        while True:
            headers = {"X-Forwarded-For": next(self._addresses)}
            async with self._http.post("/auth/login", json=body, headers=headers) as response:
                if response.status == 401:
                    self.hashed += 1
                else:
                    self.busy += 1
                    await asyncio.sleep(BUSY_SECONDS)


async def tokens(http: aiohttp.ClientSession, path: str, **body: str) -> dict[str, str]:
    async with http.post(path, json=body) as response:
        response.raise_for_status()
        return await response.json()


async def room(http: aiohttp.ClientSession, players: int) -> tuple[str, str, list[dict[str, str]], str]:
    """An open session, its first question, and the headers of its players; and an account's e-mail."""
    email = f"{uuid4()}@example.com"
    host = bearer(await tokens(http, "/auth/register", email=email, password=PASSWORD, name="Host"))
    async with http.post("/quizzes", json={"title": "Flood", "questions": QUESTIONS}, headers=host) as response:
        quiz = await response.json()
    body = {"quiz_id": quiz["quiz_id"], "mode": "self_paced"}
    async with http.post("/quiz-session", json=body, headers=host) as response:
        session = (await response.json())["quiz_session_id"]
    found: list[dict[str, str]] = []
    for number in range(players):
        player = bearer(await tokens(http, "/auth/guest", name=f"Player {number}"))
        async with http.post(f"/quiz-session/{session}/join", json={}, headers=player) as response:
            response.raise_for_status()
        found.append(player)
    return session, quiz["question_ids"][0], found, email


def bearer(granted: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {granted['access_token']}"}


async def answers(
    http: aiohttp.ClientSession,
    session: str,
    question: str,
    players: list[dict[str, str]],
    per_second: float,
    seconds: float,
) -> list[float]:
    """How long each took, from when it was due, in ms. After their first answer players send it again: the same way."""
    took: list[float] = []
    started = time.perf_counter()

    async def send(player: int, due: float) -> None:
        answer_id = f"00000000-0000-4000-8000-{player:012}"
        body = {"quiz_session_id": session, "question_id": question, "answer": 1, "answer_id": answer_id}
        async with http.post("/update-score", json=body, headers=players[player]) as response:
            await response.read()
            assert response.status == 200, await response.text()
        took.append((time.perf_counter() - due) * 1000)

    async with asyncio.TaskGroup() as group:
        for number in range(int(per_second * seconds)):
            due = started + number / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(send(number % len(players), due))
    return took


async def measure(base_url: str, rounds: int, per_second: float, seconds: float) -> dict[str, list[Round]]:
    found: dict[str, list[Round]] = {"alone": [], "under the flood": []}
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(base_url, connector=connector) as http,
        aiohttp.ClientSession(base_url, connector=aiohttp.TCPConnector(limit=0)) as flood_http,
    ):
        session, question, players, email = await room(http, 100)
        await answers(http, session, question, players, per_second, 2)
        for _ in range(rounds):
            took = await answers(http, session, question, players, per_second, seconds)
            found["alone"].append(Round(took, 0, 0))
            async with Flood(flood_http, email) as flood:
                await asyncio.sleep(1)
                flood.hashed = flood.busy = 0
                took = await answers(http, session, question, players, per_second, seconds)
                found["under the flood"].append(Round(took, flood.hashed, flood.busy))
            await asyncio.sleep(1)
    return found


def show(found: dict[str, list[Round]], seconds: float) -> None:
    """A line for each condition, over all its rounds."""
    quantiles: dict[str, tuple[float, float]] = {}
    for name, rounds in found.items():
        took = sorted(ms for one in rounds for ms in one.answer_ms)
        p50, p99 = statistics.median(took), took[int(len(took) * 0.99)]
        quantiles[name] = p50, p99
        hashed = sum(one.hashed for one in rounds) / len(rounds) / seconds
        print(f"{name:16} p50 {p50:6.2f} ms  p99 {p99:7.2f} ms  {len(took)} answers, {hashed:5.1f} log-ins hashed/s")
    (p50, p99), (under_p50, under_p99) = quantiles["alone"], quantiles["under the flood"]
    print(f"ratio            p50 {under_p50 / p50:6.2f} ×   p99 {under_p99 / p99:7.2f} ×")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--answers-per-second", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=8)
    parsed = parser.parse_args()
    print(one_line(machine()))
    with running_system() as system:
        result = asyncio.run(measure(system.base_url, parsed.rounds, parsed.answers_per_second, parsed.seconds))
    show(result, parsed.seconds)
