"""More waits than may: what is refused was not begun, what was accepted is in the ledger. A real system."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.client import Caller, Quizmaster, connected, quizmaster
from tests.system import System, running_system
from tiebreak.app_server.batches import AT_ONCE

WAITING = 2


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with running_system(environ={"TIEBREAK_LIMIT_WAITING_ANSWERS": str(WAITING)}) as system:
        yield system


@pytest.fixture
async def master(system: System) -> AsyncIterator[Quizmaster]:
    async with quizmaster(system.base_url) as master:
        yield master


@pytest.fixture
async def database(system: System) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(system.database_url)
    yield connection
    await connection.close()


@asynccontextmanager
async def locked(database: asyncpg.Connection, table: str) -> AsyncIterator[None]:
    """Nobody else may write to the table meanwhile."""
    async with database.transaction():
        await database.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        yield


async def stuck(database: asyncpg.Connection, table: str, count: int) -> None:
    """Wait until so many wait for the lock."""
    waiting = "SELECT count(*) FROM pg_locks WHERE relation = $1::text::regclass AND NOT granted"
    async with asyncio.timeout(10):
        while await database.fetchval(waiting, table) < count:
            await asyncio.sleep(0.01)


async def begun_until_full(
    database: asyncpg.Connection, table: str, sends: Sequence[Callable[[], Awaitable[httpx.Response]]]
) -> list[asyncio.Task[httpx.Response]]:
    """Make each of the first a batch of its own, then send all others; returns when those too many were refused."""
    tasks: list[asyncio.Task[httpx.Response]] = []
    for send in sends[:AT_ONCE]:
        tasks.append(asyncio.ensure_future(send()))
        await stuck(database, table, len(tasks))
    tasks += [asyncio.ensure_future(send()) for send in sends[AT_ONCE:]]
    async with asyncio.timeout(10):
        while sum(task.done() for task in tasks) < len(sends) - AT_ONCE - WAITING:
            await asyncio.sleep(0.01)
    return tasks


def is_busy(response: httpx.Response) -> bool:
    if response.status_code != 503:
        return False
    assert response.json()["code"] == "busy"
    assert response.headers["Retry-After"] == "1"
    return True


@pytest.mark.parametrize("query", ["", "?x"])
async def test_answers(system: System, master: Quizmaster, database: asyncpg.Connection, query: str) -> None:
    """503 over HTTP, the same code over a socket; a retry counts once."""
    session, questions = await master.session(await master.account())
    players = [await master.guest() for _ in range(7)]
    for player in players:
        assert (await player.join(session)).status_code == 200
    ids = {player: str(uuid4()) for player in players}
    body = {"quiz_session_id": session, "question_id": questions[0], "answer": 1}

    def sender(player: Caller) -> Callable[[], Awaitable[httpx.Response]]:
        return lambda: player.post(f"/update-score{query}", body | {"answer_id": ids[player]})

    async with connected(system.base_url, players[0].tokens["access_token"]) as screen:
        async with locked(database, "participant_answers"):
            tasks = await begun_until_full(database, "participant_answers", [sender(player) for player in players])
            refused = await screen.client.call("update_score", body, timeout=10)
            assert (refused["ok"], refused["code"]) == (False, "busy")
        responses = await asyncio.gather(*tasks)
        busy = [player for player, response in zip(players, responses, strict=True) if is_busy(response)]
        acknowledged = {UUID(it.json()["participant_answer_id"]) for it in responses if it.status_code == 200}
        assert (len(busy), len(acknowledged)) == (len(players) - AT_ONCE - WAITING, AT_ONCE + WAITING)
        assert await ledger(database, questions[0]) == acknowledged
        for player in busy:
            assert (await sender(player)()).status_code == 200
    assert len(await ledger(database, questions[0])) == len(players)


async def ledger(database: asyncpg.Connection, question: str) -> set[UUID]:
    rows = await database.fetch("SELECT id FROM participant_answers WHERE question_id = $1", UUID(question))
    return {row["id"] for row in rows}


async def test_joins(master: Quizmaster, database: asyncpg.Connection) -> None:
    """Likewise: who was refused has not joined, and may."""
    session, _ = await master.session(await master.account())
    players = [await master.guest() for _ in range(7)]
    sends = [lambda player=player: player.join(session) for player in players]
    async with locked(database, "quiz_session_participants"):
        tasks = await begun_until_full(database, "quiz_session_participants", sends)
    responses = await asyncio.gather(*tasks)
    busy = [player for player, response in zip(players, responses, strict=True) if is_busy(response)]
    assert [response.status_code for response in responses].count(200) == AT_ONCE + WAITING
    joined = "SELECT count(*) FROM quiz_session_participants WHERE quiz_session_id = $1"
    assert await database.fetchval(joined, UUID(session)) == AT_ONCE + WAITING
    for player in busy:
        assert (await player.join(session)).status_code == 200
