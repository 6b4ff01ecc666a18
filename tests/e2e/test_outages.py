"""The database is away, in every way it can be: readiness off, requests refused clearly, then all resumes by itself."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from signal import SIGCONT, SIGSTOP
from uuid import UUID, uuid4

import aiohttp
import pytest
import pytest_asyncio

from bench.cpu_time import descendants
from chaos.process_tree import signal_all
from chaos.schedule import APP_SERVERS, POSTGRES, PUBLISHERS
from chaos.stage import Stage, staged
from tests.client import Caller, connected, quizmaster
from tests.e2e.test_crowd import whole_board
from tests.servers import folder

pytestmark = pytest.mark.asyncio(loop_scope="module")

# With the 5 s that an answer may wait for its turn (app_server/batches.py), and the 10 s of a statement.
REFUSED_WITHIN_SECONDS = 17
RESUMED_WITHIN_SECONDS = 15


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    """Two of every process on a Postgres of their own; no test of this module restarts one of them."""
    with folder() as directory:
        async with staged("streams", "valkey", directory) as stage:
            yield stage


def killed(stage: Stage) -> AbstractAsyncContextManager[None]:
    """kill -9; started again at the end."""
    return stage.database.killed()


@asynccontextmanager
async def frozen(stage: Stage) -> AsyncIterator[None]:
    """SIGSTOP: connections stay open, new ones are accepted by the kernel, nothing answers."""
    family = descendants(stage.database.pid)
    signal_all(family, SIGSTOP)
    try:
        yield
    finally:
        signal_all(family, SIGCONT)


@asynccontextmanager
async def unreachable(stage: Stage) -> AsyncIterator[None]:
    """Every way to it is cut, and refuses."""
    async with AsyncExitStack() as cut:
        for link in stage.links_to(POSTGRES):
            cut.enter_context(link.refused())
        yield


@asynccontextmanager
async def silent(stage: Stage) -> AsyncIterator[None]:
    """Every way to it swallows what is said until the end, and then lets it all through."""
    async with AsyncExitStack() as stalled:
        for link in stage.links_to(POSTGRES):
            stalled.enter_context(link.stalled("both"))
        yield


def read_only(stage: Stage) -> AbstractAsyncContextManager[None]:
    return stage.database.read_only()


def without_connections(stage: Stage) -> AbstractAsyncContextManager[None]:
    return stage.database.without_connections()


@pytest.mark.parametrize("outage", [killed, frozen, unreachable, silent, read_only, without_connections])
async def test_database_away(stage: Stage, outage: Callable[[Stage], AbstractAsyncContextManager[None]]):
    """An answer is refused with 503 and Retry-After, over a socket by the same codes; sent again it counts once."""
    pids = {name: process.pid for name, process in stage.processes.items()}
    async with quizmaster(stage.origins[0]) as master, aiohttp.ClientSession() as http:
        host, ann = await master.account(), await master.guest("Ann")
        session, questions = await master.session(host)
        assert (await ann.join(session)).status_code == 200
        assert (await ann.answer(session, questions[0], 1, str(uuid4()))).status_code == 200
        answer_id = str(uuid4())
        async with connected(stage.origins[0], ann.tokens["access_token"], transports=["websocket"]) as screen:
            async with outage(stage):
                await eventually_ready(stage, http, False)
                message = {"quiz_session_id": session, "question_id": questions[2], "answer": True}
                message |= {"answer_id": str(uuid4())}
                async with asyncio.timeout(REFUSED_WITHIN_SECONDS):
                    refused, said = await asyncio.gather(
                        ann.answer(session, questions[1], [3, 1], answer_id),
                        screen.client.call("update_score", message, timeout=60),
                    )
                assert refused.status_code == 503, refused.text
                assert int(refused.headers["Retry-After"]) >= 1
                assert {refused.json()["code"], said["code"]} <= {"busy", "unavailable"}
            await eventually_ready(stage, http, True)
            for _ in range(2):
                assert (await ann.answer(session, questions[1], [3, 1], answer_id)).status_code == 200
            said = await screen.client.call("update_score", message, timeout=20)
            assert said["ok"], said
            await board_shows(ann, session, 300)
    async with stage.database.connection() as connection:
        counted = await connection.fetchval(
            "SELECT count(*) FROM participant_answers a JOIN quiz_session_participants p "
            "ON p.id = a.quiz_session_participant_id WHERE p.quiz_session_id = $1",
            UUID(session),
        )
    assert counted == 3
    assert {name: process.pid for name, process in stage.processes.items()} == pids
    assert stage.take_incidents() == []


async def eventually_ready(stage: Stage, http: aiohttp.ClientSession, ready: bool) -> None:
    """Wait until all that stand on the database say so."""
    async with asyncio.timeout(RESUMED_WITHIN_SECONDS):
        for name in (*APP_SERVERS, *PUBLISHERS, "auth-server-1"):
            while await stage.processes[name].ready(http) is not ready:
                await asyncio.sleep(0.05)


async def board_shows(player: Caller, session: str, points: int) -> None:
    async with asyncio.timeout(RESUMED_WITHIN_SECONDS):
        while [row["score"] for row in (await whole_board(player, session))[1]] != [points]:
            await asyncio.sleep(0.05)
