"""The commands besides `up`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.deadline import eventually
from tests.system import without_settings
from tiebreak.command_line import PROCESSES

COMMANDS = ("up", "migrate", "seed", "loadtest", "dead", "rebuild", "audit", "replay", "verify", *PROCESSES)


def tiebreak(*arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "tiebreak", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=without_settings(os.environ) | dict(environ or {}),
    )


def test_help() -> None:
    """Every command is listed."""
    result = tiebreak("--help")
    assert result.returncode == 0
    assert all(command in result.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(command: str) -> None:
    """Every command explains itself."""
    assert tiebreak(command, "--help").returncode == 0


def test_migrate_says_what_ran(database_url: str) -> None:
    """The second time there is nothing to do."""
    result = tiebreak("migrate", environ={"TIEBREAK_DATABASE_URL": database_url})
    assert (result.returncode, result.stdout) == (0, "nothing to do: the database is up to date\n")


@pytest.mark.parametrize("command", ["migrate", "audit", "replay 123456", *PROCESSES])
def test_without_a_database(command: str) -> None:
    """A setting that is needed and not there: one sentence with its name, status 2, no traceback."""
    result = tiebreak(*command.split())
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith("tiebreak: TIEBREAK_")
    assert "Traceback" not in result.stderr


def test_a_database_that_does_not_answer() -> None:
    """A Fault: one sentence, status 1."""
    result = tiebreak("migrate", environ={"TIEBREAK_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"})
    assert result.returncode == 1
    assert result.stderr.startswith("tiebreak: Postgres does not answer")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("port", ["many", "65536", "-1"])
def test_a_port_that_is_none(port: str) -> None:
    """Refused as a wrong argument."""
    result = tiebreak("up", "--port", port)
    assert result.returncode == 2
    assert "--port" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", PROCESSES)
def test_a_process_stops_when_told(command: str, number: signal.Signals, database_url: str, redis_url: str) -> None:
    """Each process runs by itself, as it does in a cluster, and ends with status 0 when it is asked to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        environ = {
            "TIEBREAK_DATABASE_URL": database_url,
            "TIEBREAK_REDIS_URL": redis_url,
            "TIEBREAK_LISTEN_FD": str(listener.fileno()),
            "TIEBREAK_LOG_LEVEL": "error",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tiebreak", command],
            env=without_settings(os.environ) | environ,
            pass_fds=(listener.fileno(),),
        )
        assert eventually(lambda: handles(process.pid, number))
        process.send_signal(number)
        assert process.wait(30) == 0


def handles(pid: int, number: signal.Signals) -> bool:
    """Whether the process has come as far as handling this signal with a handler of asyncio's."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        caught = next(int(line.split()[1], 16) for line in status if line.startswith("SigCgt"))
    return bool(caught & 1 << (signal.SIGTERM - 1)) and bool(caught & 1 << (number - 1))
