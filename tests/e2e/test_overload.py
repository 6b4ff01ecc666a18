"""Three times what the database takes: what is acknowledged counts, the rest is told to come back, soon all is well."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from time import monotonic
from uuid import UUID, uuid4

import aiohttp
import pytest

from bench.cpu_time import stat_of
from chaos.schedule import POSTGRES
from chaos.stage import Stage, staged
from tests.client import Caller, Quizmaster, quizmaster
from tests.e2e.test_crowd import board_equals_ledger
from tests.servers import folder
from tiebreak.app_server.batches import AT_ONCE

SERVER = "app-server-1"
WAITING = 20
# To Postgres and back, for each thing that is said: a statement takes at least twice that, whatever the machine.
DELAY_SECONDS = 0.25
# What waits is carried out at most so fast: AT_ONCE batches of what fits the queue, in the time of a statement.
MOST_PER_SECOND = AT_ONCE * WAITING / (2 * DELAY_SECONDS)
PER_SECOND = 3 * MOST_PER_SECOND
PLAYERS, QUESTIONS = 60, 20
RECOVERED_WITHIN_SECONDS = 5
PAGE_BYTES = 4096


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    with folder() as directory:
        settings = {"TIEBREAK_LIMIT_WAITING_ANSWERS": str(WAITING)}
        async with staged("streams", "valkey", directory, settings) as stage:
            yield stage


class Asked:
    """An answer, and what became of it."""

    def __init__(self, player: Caller, session: str, question: str) -> None:
        self.headers = player.headers
        self.answer_id = str(uuid4())
        self.body = {
            "quiz_session_id": session,
            "question_id": question,
            "answer": True,
            "answer_id": self.answer_id,
        }
        self.code = ""

    async def send(self, http: aiohttp.ClientSession, origin: str) -> None:
        async with http.post(f"{origin}/update-score", json=self.body, headers=self.headers) as response:
            said = await response.json()
            self.code = "acknowledged" if response.status == 200 else said["code"]
            if response.status != 200:
                assert response.status == 503, said
                assert int(response.headers["Retry-After"]) >= 1


async def test_three_times_the_load(stage: Stage):
    """Refusals are 503 with Retry-After, and were not begun; the queue stays small; 5 s later all is as before."""
    origin, process = stage.processes[SERVER].url, stage.processes[SERVER]
    async with quizmaster(origin) as master, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        host, session, asked = await crowd(master)
        before = memory_bytes(process.pid)
        waiting: list[int] = []
        with stage.links[f"{SERVER}→{POSTGRES}"].slowed("both", delay_seconds=DELAY_SECONDS):
            sending = await sent_steadily(asked, http, origin, waiting)
            await asyncio.gather(*sending)
        fell_at = monotonic()
        codes = Counter(it.code for it in asked)
        assert set(codes) <= {"acknowledged", "busy", "unavailable"}, codes
        assert codes["acknowledged"] > WAITING, codes
        assert codes["busy"] > len(asked) / 3, codes
        assert max(waiting) <= WAITING
        assert memory_bytes(process.pid) - before < 64 << 20
        counted = await ledger(stage, session)
        assert {it.answer_id for it in asked if it.code == "acknowledged"} <= counted
        assert not {it.answer_id for it in asked if it.code == "busy"} & counted

        # The load has fallen: whoever was refused sends again, one after the other.
        again = [it for it in asked if it.code != "acknowledged"][:PLAYERS]
        async with asyncio.timeout(RECOVERED_WITHIN_SECONDS - (monotonic() - fell_at)):
            assert await process.ready(http)
            for it in again:
                await it.send(http, origin)
                assert it.code == "acknowledged"
        assert {it.answer_id for it in again} <= await ledger(stage, session)
        await board_equals_ledger(Urls(stage), host, session)
    assert stage.take_incidents() == []


async def crowd(master: Quizmaster) -> tuple[Caller, str, list[Asked]]:
    """A host, a session, and all the answers that its players will give."""
    host = await master.account()
    content = [{"type": "true_false", "prompt": f"Question {at}", "answer": True} for at in range(QUESTIONS)]
    session, questions = await master.session(host, content)
    players = [await master.guest(f"Player {at}") for at in range(PLAYERS)]
    for player in players:
        assert (await player.join(session)).status_code == 200
    return host, session, [Asked(player, session, question) for question in questions for player in players]


async def sent_steadily(
    asked: list[Asked], http: aiohttp.ClientSession, origin: str, waiting: list[int]
) -> list[asyncio.Task[None]]:
    """All of them at PER_SECOND, whether or not those before were answered; how many wait, meanwhile."""
    began = monotonic()
    sending: list[asyncio.Task[None]] = []
    for place, one in enumerate(asked):
        await asyncio.sleep(max(0.0, began + place / PER_SECOND - monotonic()))
        sending.append(asyncio.create_task(one.send(http, origin)))
        if place % 100 == 0:
            async with http.get(f"{origin}/metrics") as response:
                waiting.append(waiting_in(await response.text()))
    return sending


def waiting_in(metrics: str) -> int:
    [found] = re.findall(r"^tiebreak_answers_waiting ([\d.]+)$", metrics, re.M)
    return int(float(found))


def memory_bytes(pid: int | None) -> int:
    """The resident set (proc_pid_stat(5), field 24)."""
    assert pid is not None
    stat = stat_of(pid)
    assert stat is not None
    return int(stat[21]) * PAGE_BYTES


async def ledger(stage: Stage, session: str) -> set[str]:
    async with stage.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT a.answer_id FROM participant_answers a JOIN quiz_session_participants p "
            "ON p.id = a.quiz_session_participant_id WHERE p.quiz_session_id = $1",
            UUID(session),
        )
    return {str(row[0]) for row in rows}


class Urls:
    """A stage's database, for what reads a whole system's."""

    def __init__(self, stage: Stage) -> None:
        self.database_url = stage.database.url
