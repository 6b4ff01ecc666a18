"""`tiebreak up` with its real children: start, stop, and starts that cannot succeed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from redis import Redis

from tests.deadline import eventually
from tests.system import System, running_system, without_settings

STORES = {"postgres", "valkey"}
PROCESSES = {"auth-server", "app-server", "publisher-worker", "cache-worker"}


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


def assert_refused(result: subprocess.CompletedProcess[str], *words: str, status: int = 1) -> None:
    """The command failed with one line on standard error that has these words."""
    assert result.returncode == status, result.stderr
    assert result.stderr.startswith("tiebreak: ")
    assert len(result.stderr.splitlines()) == 1
    for word in words:
        assert word in result.stderr


def test_serves_and_says_how(tmp_path: Path) -> None:
    """It says where it serves, where logs and stores are, and how to log in; what it keeps is closed to others."""
    data = tmp_path / "data"
    with running_system(data) as system:
        assert httpx.get(f"{system.base_url}/readyz").status_code == 200
        assert system.said("ready ") == f"ready {system.base_url}"
        assert system.said(f"logs in {data}/logs")
        assert system.said(f"database {system.database_url}")
        assert system.said(f"redis    {system.redis_url}")
        assert system.says("log in as ")
        assert set(system.run.children) == STORES | PROCESSES
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert stat.S_IMODE((data / "run.json").stat().st_mode) == 0o600
        assert {f"{name}.log" for name in STORES | PROCESSES} == {log.name for log in (data / "logs").iterdir()}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM and a closed terminal end it with status 0; no process, socket or run.json is left."""
    system = System(tmp_path)
    system.start()
    system.ready()
    run = system.run
    system.signal(number)
    assert system.exit_status() == 0
    assert system.nothing_is_left()
    assert not any(Path(f"/proc/{pid}").exists() for pid in run.children.values())
    assert not Path(run.sockets).exists()
    assert not (tmp_path / "run.json").exists()


@pytest.mark.parametrize("moment", ["data in", "database ", "starting "])
def test_a_signal_during_the_start_stops_everything(tmp_path: Path, moment: str) -> None:
    """Whoever changes their mind while it starts gets what they want too."""
    system = System(tmp_path)
    system.start()
    system.says(moment)
    system.signal(signal.SIGINT)
    assert system.exit_status() == 0
    assert system.nothing_is_left()
    assert system.said("ready ") is None


def test_nothing_survives_a_killed_supervisor(tmp_path: Path) -> None:
    """kill -9 gives it no chance to stop anything, and yet every child ends; the next start goes on from there."""
    system = System(tmp_path)
    system.start()
    system.ready()
    sockets = Path(system.run.sockets)
    Redis.from_url(system.redis_url).set("kept", "yes")
    system.process.kill()
    system.process.wait()
    with running_system(tmp_path) as again:  # does not wait for the children to end: that is for `up` to do
        assert Redis.from_url(again.redis_url, decode_responses=True).get("kept") == "yes"
        assert not sockets.exists()


def test_children_of_a_killed_supervisor_end(tmp_path: Path) -> None:
    """They end by themselves, not because another start cleans up."""
    system = System(tmp_path)
    system.start()
    system.ready()
    sockets = system.run.sockets
    system.process.kill()
    system.process.wait()
    assert eventually(system.nothing_is_left)
    shutil.rmtree(sockets)


def test_data_outlives_a_stop(tmp_path: Path) -> None:
    """Started again on the same directory it goes on where it was: accounts, and the same demo host."""
    account = {"email": "teacher@example.org", "password": "a long enough password", "name": "Teacher"}
    with running_system(tmp_path) as system:
        assert httpx.post(f"{system.base_url}/auth/register", json=account).is_success
        Redis.from_url(system.redis_url).set("kept", "yes")
        login = system.says("log in as ")
    del account["name"]
    with running_system(tmp_path) as system:
        assert httpx.post(f"{system.base_url}/auth/login", json=account).is_success
        assert Redis.from_url(system.redis_url, decode_responses=True).get("kept") == "yes"
        assert system.says("log in as ") == login


def test_phones_in_the_room(tmp_path: Path) -> None:
    """Bound to every address, it serves on each, and is ready under the one it was bound to."""
    with running_system(tmp_path, "--host", "0.0.0.0") as system:
        port = system.base_url.rpartition(":")[2]
        assert system.said("ready ") == f"ready http://0.0.0.0:{port}"
        for line in [line for line in system.lines if line.startswith("phones in the room: ")]:
            assert httpx.get(f"{line.partition(': ')[2]}/healthz").status_code == 200


def test_stores_of_ones_own(tmp_path: Path, database_url: str, redis_url: str) -> None:
    """With both URLs set nothing is embedded."""
    environ = {"TIEBREAK_DATABASE_URL": database_url, "TIEBREAK_REDIS_URL": redis_url}
    with running_system(tmp_path, environ=environ) as system:
        assert set(system.run.children) == PROCESSES
        assert system.database_url == database_url
        assert system.redis_url == redis_url


def test_port_taken(tmp_path: Path) -> None:
    """A port that another program has is told in a sentence, before anything is made."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = tiebreak("up", "--port", str(port), "--data", str(tmp_path / "data"))
    assert_refused(result, f"Port {port} of 127.0.0.1 is taken", "--port")
    assert not (tmp_path / "data").exists()


def test_data_directory_in_use(tmp_path: Path) -> None:
    """A second one on the same directory is refused at once; the first does not notice."""
    with running_system(tmp_path) as system:
        assert_refused(tiebreak("up", "--port", "0", "--data", str(tmp_path)), str(tmp_path), "in use", "--data")
        assert httpx.get(f"{system.base_url}/readyz").status_code == 200


def test_data_of_another_postgres(tmp_path: Path) -> None:
    """Data that this Postgres cannot read is left alone; both versions are named."""
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("17\n")
    result = tiebreak("up", "--port", "0", "--data", str(tmp_path))
    assert_refused(result, "was made by Postgres 17", "brings Postgres 18")


def test_data_of_something_else(tmp_path: Path) -> None:
    """A directory with other files in Postgres's place is not touched."""
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "diary.txt").write_text("mine")
    assert_refused(tiebreak("up", "--port", "0", "--data", str(tmp_path)), "no Postgres data", "--data")
    assert (tmp_path / "postgres" / "diary.txt").read_text() == "mine"


def test_data_directory_cannot_be_made(tmp_path: Path) -> None:
    """A path below a file is told in a sentence."""
    (tmp_path / "file").touch()
    assert_refused(tiebreak("up", "--port", "0", "--data", str(tmp_path / "file" / "data")), "cannot be used")


@pytest.mark.parametrize(
    ("variable", "value"),
    [("TIEBREAK_PORT", "many"), ("TIEBREAK_LOG_LEVEL", "loud"), ("TIEBREAK_PROT", "8000")],
)
def test_settings_that_cannot_be_used(tmp_path: Path, variable: str, value: str) -> None:
    """A wrong value, and a variable that does not exist, end it with status 2 and the variable's name."""
    result = tiebreak("up", "--port", "0", "--data", str(tmp_path / "data"), environ={variable: value})
    assert_refused(result, variable, status=2)
    assert not (tmp_path / "data").exists()


def test_a_process_that_cannot_start(tmp_path: Path) -> None:
    """It is named, with its exit status and its last lines; the rest is stopped again."""
    environ = {"TIEBREAK_REDIS_URL": "nonsense://"}
    result = tiebreak("up", "--port", "0", "--data", str(tmp_path), environ=environ)
    assert result.returncode == 1
    assert "ended with exit status" in result.stderr
    assert "The last lines of" in result.stderr
    assert System(tmp_path).nothing_is_left()
