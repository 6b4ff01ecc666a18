"""`tiebreak loadtest` as an operator runs it; and that it notices when something is wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from random import Random

import asyncpg
import msgspec
import pytest
from redis import Redis

from tests.client import RIGHT
from tests.system import running_system, without_settings
from tiebreak.cache.keys import board_keys
from tiebreak.load_test.boards import SessionBoards, Visibility
from tiebreak.load_test.http_client import HttpClient, Unanswered
from tiebreak.load_test.login import Login
from tiebreak.load_test.player import Player, Session
from tiebreak.load_test.replies import Acknowledgement, Tokens

PLAYERS = 60
PACEMAKERS = 10


def command(url, *arguments):
    return [sys.executable, "-m", "tiebreak", "loadtest", url, "--players", str(PLAYERS), "--json", "-", *arguments]


def started(url, *arguments):
    """A load test that runs while the test goes on."""
    return subprocess.Popen(
        command(url, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=without_settings(os.environ),
    )


def ended(process):
    """Its exit status, its report, and what it told people."""
    output, told = process.communicate(timeout=120)
    return process.returncode, msgspec.json.decode(output) if output else None, told


@pytest.mark.parametrize("over", ["socket", "http"])
@pytest.mark.parametrize("shape", ["burst", "steady", "exam"])
def test_all_well(system, shape, over):
    """Every answer is acknowledged, counted, and seen by everybody; status 0."""
    arguments = ["--shape", shape, "--over", over, "--rate", "60", "--seconds", "3", "--sessions", "2"]
    status, report, told = ended(started(system.base_url, *arguments))
    assert (status, report["failures"], report["exit_status"]) == (0, [], 0), told
    answers, board, messages = report["answers"], report["board"], report["messages"]
    assert answers["due"] == answers["acknowledged"] == report["acknowledgement"]["count"] > 0
    assert report["verdict"]["counted"] == answers["acknowledged"] + 2 * PACEMAKERS
    assert report["verdict"]["lost"] == 0
    # Each answer of a pacemaker was seen by each of the 30 players of its session.
    assert board["unseen"] == 0
    assert board["every_player"]["count"] == board["last_player"]["count"] * PLAYERS / 2 > 0
    assert 0 < messages["by_kind"]["leaderboard_updating"] < messages["per_player_second"]
    assert "lost = 0" in told
    assert "board = ledger" in told


def test_without_sockets(system):
    """Nobody looks at the board; it is checked all the same."""
    arguments = ["--no-sockets", "--over", "http", "--rate", "60", "--seconds", "2"]
    status, report, _ = ended(started(system.base_url, *arguments))
    assert (status, report["board"], report["messages"], report["verdict"]["lost"]) == (0, None, None, 0)
    assert report["verdict"]["counted"] == 120 + PACEMAKERS


@asynccontextmanager
async def under_test(system, seconds=5):
    """A load test that is answering, the database and the session: what is done to them is done meanwhile."""
    process = started(system.base_url, "--rate", "60", "--seconds", str(seconds))
    database = await asyncpg.connect(system.database_url)
    try:
        session = await when_answered(database)
        yield process, database, session
    finally:
        await database.close()
        process.kill()
        process.wait()


async def when_answered(database):
    """The id of the session under test, once others than pacemakers have answered."""
    async with asyncio.timeout(60):
        while True:
            session = await database.fetchval(
                "SELECT s.id FROM quiz_sessions s JOIN quizzes q ON q.id = s.quiz_id "
                "JOIN quiz_session_participants p ON p.quiz_session_id = s.id "
                "JOIN participant_answers a ON a.quiz_session_participant_id = p.id "
                "WHERE q.title = 'Load test' AND s.state = 'open' GROUP BY s.id HAVING count(*) > 40"
            )
            if session:
                return session
            await asyncio.sleep(0.05)


ONE_ANSWER = (
    "SELECT a.id FROM participant_answers a JOIN quiz_session_participants p "
    "ON p.id = a.quiz_session_participant_id WHERE p.quiz_session_id = $1 AND a.score {} 0 LIMIT 1"
)


async def test_a_lost_answer(system):
    """Taken out of the ledger behind everybody's back: status 1, and it says so."""
    async with under_test(system) as (process, database, session):
        assert (
            await database.execute(f"DELETE FROM participant_answers WHERE id = ({ONE_ANSWER.format('>')})", session)
            == "DELETE 1"
        )
        status, report, told = await asyncio.to_thread(ended, process)
    assert status == report["exit_status"] == 1
    assert report["verdict"]["lost"] == 1
    assert "1 acknowledged answers are lost." in report["failures"]
    assert "lost = 1" in told
    assert "board ≠ ledger" in told


async def test_an_altered_answer(system):
    """A wrong answer that earns points after all."""
    async with under_test(system) as (process, database, session):
        assert (
            await database.execute(
                f"UPDATE participant_answers SET score = 5 WHERE id = ({ONE_ANSWER.format('=')})", session
            )
            == "UPDATE 1"
        )
        status, report, _ = await asyncio.to_thread(ended, process)
    assert (status, report["verdict"]["altered"], report["verdict"]["lost"]) == (1, 1, 0)


async def test_a_wrong_board(system):
    """A player with a thousand points too many on the board, and the ledger as it should be."""
    async with under_test(system) as (process, _, session):
        with Redis.from_url(system.redis_url) as redis:
            board = board_keys(session)[0]
            redis.zincrby(board, 1_000 * 2**32, redis.zrange(board, 0, 0)[0])
        status, report, told = await asyncio.to_thread(ended, process)
    assert status == 1
    assert (report["verdict"]["lost"], report["verdict"]["altered"]) == (0, 0)
    assert report["verdict"]["board_rows_wrong"] == 1
    assert "lost = 0" in told
    assert "board ≠ ledger" in told


def test_a_board_that_nobody_keeps():
    """The check does not build it for itself and find it right: also when nobody looks at it meanwhile."""
    # Audits would keep it in the worker's place.
    with running_system(environ={"TIEBREAK_AUDIT_SECONDS": "0"}) as system:
        worker = system.pid("cache-worker")
        os.kill(worker, signal.SIGSTOP)
        try:
            arguments = ["--no-sockets", "--over", "http", "--rate", "60", "--seconds", "2"]
            status, report, _ = ended(started(system.base_url, *arguments))
        finally:
            os.kill(worker, signal.SIGCONT)
    assert (status, report["verdict"]["lost"]) == (1, 0)
    assert report["verdict"]["board_rows_wrong"] > 0


async def test_interrupted(system):
    """Ctrl-C: it says so, tells what it has, and ends with 130."""
    async with under_test(system) as (process, _, _):
        process.send_signal(signal.SIGINT)
        status, report, told = await asyncio.to_thread(ended, process)
    assert (status, report["interrupted"], report["verdict"]) == (130, True, None)
    assert report["answers"]["acknowledged"] > 0
    assert told.count("Interrupted") == 1
    assert "Traceback" not in told


async def test_the_app_server_is_killed():
    """Every player loses its connection, and nobody an answer."""
    with running_system() as system:
        async with under_test(system, seconds=8) as (process, _, _):
            system.kill("app-server")
            status, report, told = await asyncio.to_thread(ended, process)
    assert status == 0, told
    assert report["connections_lost"] == PLAYERS
    assert report["answers"]["acknowledged"] == report["answers"]["due"] == 480
    assert report["verdict"]["lost"] == 0
    assert "connections     60 lost and opened again" in told


def test_too_slow(system):
    """A threshold that cannot be kept is named."""
    arguments = ["--rate", "30", "--seconds", "2", "--max-ack-p99-ms", "0.01", "--max-board-p99-ms", "60000"]
    status, report, told = ended(started(system.base_url, *arguments))
    assert status == 1
    assert [failure.split(" is ")[0] for failure in report["failures"]] == ["--max-ack-p99-ms 0.01"]
    assert "FAILED  --max-ack-p99-ms 0.01 is exceeded" in told


async def test_tokens_are_renewed(system, master):
    """Before they expire, for requests and for the connection: a run may be longer than their life."""
    session_id, question_ids = await master.session(await master.account())
    guest = await master.guest("Ann")
    await guest.join(session_id)
    session = Session(session_id, question_ids, SessionBoards(Visibility()))
    async with HttpClient(system.base_url) as http:
        login = Login(http, msgspec.convert(guest.tokens | {"expires_in": 0}, Tokens))
        player = Player(0, system.base_url, session, login, Random(1))
        await player.enter()
        assert login.is_due
        await player.renew_token()
        assert not login.is_due
        assert login.token != guest.tokens["access_token"]
        refused = await player.ask("renew_token", {"token": "none"}, Acknowledgement)
        assert (refused.ok, refused.code) == (False, "token_invalid")
        again = await player.ask("renew_token", {"token": login.token}, Acknowledgement)
        assert again.ok
        player.leave()


async def test_a_lost_connection_comes_back(system, master):
    """Like socket.io-client does, and sees the board again."""
    session_id, question_ids = await master.session(await master.account())
    guest = await master.guest("Ann")
    await guest.join(session_id)
    await guest.answer(session_id, question_ids[0], RIGHT[0])
    session = Session(session_id, question_ids, SessionBoards(Visibility()))
    async with HttpClient(system.base_url) as http:
        login = Login(http, msgspec.convert(guest.tokens, Tokens))
        player = Player(0, system.base_url, session, login, Random(1))
        await player.enter()
        # The server ends a connection that says it is somebody else.
        with pytest.raises(Unanswered):
            await player.ask("connect", {}, Acknowledgement)
        async with asyncio.timeout(20):
            while not (player.connections_lost and player.is_connected):
                await asyncio.sleep(0.01)
        player.leave()


def test_report_goes_to_a_file(system, tmp_path):
    """Then standard output is for people."""
    file = tmp_path / "report.json"
    arguments = ["--rate", "30", "--seconds", "1", "--json", str(file)]
    status = subprocess.run(
        command(system.base_url, *arguments), capture_output=True, text=True, timeout=60, check=True
    )
    assert "board = ledger" in status.stdout
    assert msgspec.json.decode(file.read_bytes())["version"] == 1


def test_a_report_that_cannot_be_written(tmp_path):
    """Is known before anything is sent."""
    status, _, told = ended(started("http://127.0.0.1:1", "--json", str(tmp_path)))
    assert status == 1
    assert told == f"tiebreak: The report could not be written to {tmp_path}: Is a directory.\n"


def test_nobody_there():
    """One sentence that says what to look for."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    status, report, told = ended(started(url))
    assert (status, report) == (1, None)
    assert told.startswith(f"tiebreak: The host's registration was not answered by {url}")
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--players", "0"], "--players"),
        (["--rate", "-1"], "--rate"),
        (["--shape", "flood"], "--shape"),
        (["--no-sockets"], "--over http"),
        (["--no-sockets", "--over", "http", "--max-board-p99-ms", "5"], "--no-sockets"),
        (["--sessions", "61"], "--sessions"),
        (["--shape", "burst", "--rate", "61"], "--rate"),
        (["--rate", "60", "--seconds", "100"], "99 questions"),
        (["--rate", "0.1", "--seconds", "2"], "not even one answer"),
    ],
)
def test_wrong_arguments(arguments, said):
    """Status 2, and what to change, before anything is sent."""
    status, report, told = ended(started("http://127.0.0.1:1", *arguments))
    assert (status, report) == (2, None)
    assert said in told
    assert "Traceback" not in told


def test_an_address_that_is_none():
    """Only origins of HTTP."""
    status, _, told = ended(started("127.0.0.1:8000"))
    assert status == 2
    assert "http://127.0.0.1:8000" in told
