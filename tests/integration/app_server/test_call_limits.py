"""Joins, answers and PINs: what is too much is refused with 429 on every way in, and nothing is half done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.client import RIGHT, Caller, Quizmaster, Screen, connected, quizmaster
from tests.integration.socket_adapter.app_server import AppServer, app_server
from tests.system import System, running_system
from tiebreak.cache.keys import calls_key
from tiebreak.redis_client import Redis, open_redis

ANSWERS, JOINS, MISSES, OVERALL = 6, 5, 20, 30
LIMITS = {
    "TIEBREAK_LIMIT_ANSWERS_PER_MINUTE": str(ANSWERS),
    "TIEBREAK_LIMIT_JOINS_PER_USER_PER_MINUTE": str(JOINS),
    "TIEBREAK_LIMIT_PIN_MISSES_PER_MINUTE": str(MISSES),
    "TIEBREAK_LIMIT_PIN_MISSES_OVERALL_PER_MINUTE": str(OVERALL),
}
Found = TypeVar("Found")


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with running_system(environ=LIMITS) as system:
        yield system


@pytest.fixture
async def master(system: System) -> AsyncIterator[Quizmaster]:
    async with quizmaster(system.base_url) as master:
        yield master


async def within_a_minute(play: Callable[[], Awaitable[Found]]) -> Found:
    """Limits begin anew with each minute of the clock: what one of them interrupts is played again."""
    while True:
        minute = time.time() // 60
        found = await play()
        if time.time() // 60 == minute:
            return found


def is_refused(response: httpx.Response) -> bool:
    if response.status_code != 429:
        return False
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "too_many_tries"
    assert 1 <= int(response.headers["retry-after"]) <= 60
    return True


async def sent(caller: Caller, screen: Screen, way: str, body: dict[str, object]) -> str:
    """What an answer came to, by this way: a code, or "recorded"."""
    if way == "socket":
        said = await screen.client.call("update_score", body, timeout=10)
        return "recorded" if said["ok"] else said["code"]
    response = await caller.post({"lane": "/update-score", "route": "/update-score?x"}[way], body)
    is_refused(response)
    return response.json().get("code", "recorded")


@pytest.mark.parametrize("used_up_by", ["lane", "route", "socket"])
async def test_answers(system: System, master: Quizmaster, used_up_by: str) -> None:
    """Retries and invalid ones count; used up by one way it is used up by all. What is refused is not in the ledger."""

    async def play() -> tuple[list[str], list[str], list[UUID]]:
        host, ann, bob = await master.account(), await master.guest("Ann"), await master.guest("Bob")
        session, questions = await master.session(host)
        await asyncio.gather(ann.join(session), bob.join(session))
        body = {"quiz_session_id": session, "question_id": questions[0], "answer": RIGHT[0], "answer_id": str(uuid4())}
        next_body = body | {"question_id": questions[1], "answer": RIGHT[1], "answer_id": str(uuid4())}
        async with connected(system.base_url, ann.tokens["access_token"]) as screen:
            # No answer of its type: it does not even reach the queue.
            used = [await sent(ann, screen, used_up_by, body | {"answer": "x"})]
            used += [await sent(ann, screen, used_up_by, body) for _ in range(ANSWERS - 1)]
            beyond = [await sent(ann, screen, way, next_body) for way in ("lane", "route", "socket")]
            beyond.append(await sent(bob, screen, "lane", next_body))
        return used, beyond, [*map(UUID, questions[:2])]

    used, beyond, questions = await within_a_minute(play)
    assert used == ["answer_invalid", *["recorded"] * (ANSWERS - 1)]
    assert beyond == [*["too_many_tries"] * 3, "recorded"]
    database = await asyncpg.connect(system.database_url)
    counts = "SELECT count(*) FROM participant_answers WHERE question_id = $1"
    assert [await database.fetchval(counts, question) for question in questions] == [1, 1]
    await database.close()


async def test_ten_at_once(master: Quizmaster, system: System) -> None:
    """Sent at once, no more are taken than one after the other."""

    async def play() -> list[httpx.Response]:
        session, questions = await master.session(await master.account())
        ann = await master.guest()
        await ann.join(session)
        answer_id = str(uuid4())
        tries = (ann.answer(session, questions[0], RIGHT[0], answer_id) for _ in range(ANSWERS + 4))
        return await asyncio.gather(*tries)

    responses = await within_a_minute(play)
    assert sum(map(is_refused, responses)) == 4
    assert len({response.text for response in responses if response.status_code == 200}) == 1


async def test_joins(master: Quizmaster) -> None:
    """Also those that come to nothing; who was refused has not joined."""

    async def play() -> tuple[list[int], int, list[int]]:
        host, ann, bob = await master.account(), await master.guest(), await master.guest()
        session, _ = await master.session(host)
        unknown = [(await ann.join(str(uuid4()))).status_code for _ in range(JOINS)]
        refused = [await ann.join(session)]
        assert all(map(is_refused, refused)) or refused[0].status_code == 200
        joined = (await master.http.get(f"/quiz-session/{session}")).json()["participant_count"]
        return unknown, joined, [refused[0].status_code, (await bob.join(session)).status_code]

    assert await within_a_minute(play) == ([400] * JOINS, 0, [429, 200])


@pytest.fixture
def second(system: System, tmp_path: Path) -> Iterator[AppServer]:
    """Another app server on the same stores, with the same limits."""
    with app_server(system, tmp_path / "second.log", LIMITS) as server:
        yield server


async def test_two_app_servers_count_together(master: Quizmaster, system: System, second: AppServer) -> None:
    """What a user has used up at one is used up at the other, as soon as the two have heard of each other."""

    async def play() -> list[int]:
        session, questions = await master.session(await master.account())
        ann = await master.guest()
        await ann.join(session)
        async with quizmaster(second.base_url) as there, redis_of(system) as redis:
            user = str(UUID(ann.tokens["user_id"]).int)
            elsewhere = Caller(there.http, ann.tokens)
            calls = ANSWERS
            for _ in range(calls):
                await ann.answer(session, questions[0], 1, str(uuid4()))
            await told(redis, user, calls)
            statuses: list[int] = []
            while 429 not in statuses and len(statuses) < ANSWERS:
                statuses.append((await elsewhere.answer(session, questions[1], RIGHT[1])).status_code)
                calls += 1
                await told(redis, user, calls)
            return statuses

    statuses = await within_a_minute(play)
    # By itself it would have taken as many as the limit has.
    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert len(statuses) < ANSWERS


@asynccontextmanager
async def redis_of(system: System) -> AsyncIterator[Redis]:
    redis = await open_redis(system.redis_url)
    yield redis
    await redis.aclose()


async def told(redis: Redis, user: str, calls: int) -> None:
    """Wait until the servers have told each other of so many calls; until the next minute if they do not."""
    minute = int(time.time() // 60)
    while int(await redis.hget(calls_key("answers", minute), user) or 0) < calls and time.time() // 60 == minute:
        await asyncio.sleep(0.02)


async def test_pins_guessed_from_many_addresses(system: System, master: Quizmaster) -> None:
    """Many together have guessed too often: a right PIN still leads to its session, and a guesser has few tries."""

    def seen_from(address: str) -> dict[str, str]:
        return {"X-Forwarded-For": address}

    async def guess(address: str) -> httpx.Response:
        return await master.http.get("/pin/no-pin", headers=seen_from(address))

    session, _ = await master.session(await master.account())
    pin = (await master.http.get(f"/quiz-session/{session}")).json()["pin"]
    assert {(await guess(f"198.51.100.{number}")).status_code for number in range(OVERALL)} == {404}
    tries = [await guess("192.0.2.1") for _ in range(MISSES)]
    assert [response.status_code for response in tries].count(404) == MISSES // 3
    assert is_refused(tries[-1])
    # The guesser is refused even the right one; nobody else is, in whatever network.
    assert is_refused(await master.http.get(f"/pin/{pin}", headers=seen_from("192.0.2.1")))
    for number in range(20):
        found = await master.http.get(f"/pin/{pin}", headers=seen_from(f"203.0.113.{number}"))
        assert found.json() == {"quiz_session_id": session}
