"""The data directory and who may have it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tiebreak.embedded.data_directory import Run, taken
from tiebreak.embedded.socket_directory import LONGEST, make_socket_directory
from tiebreak.errors import EmbeddedServerFailed


def run(sockets: Path) -> Run:
    return Run(
        supervisor=1,
        base_url="http://h",
        database_url="d",
        redis_url="r",
        sockets=str(sockets),
        children={"postgres": 2},
    )


def nobody_waits(text: str) -> None:
    pytest.fail(f"waited: {text}")


def test_one_at_a_time(tmp_path: Path) -> None:
    """While one has it another is refused; afterwards it is free."""
    with (
        taken(tmp_path),
        pytest.raises(EmbeddedServerFailed, match="in use"),
        taken(tmp_path),
    ):
        pass
    with taken(tmp_path):
        pass


def test_is_made_private(tmp_path: Path) -> None:
    """Answers of players are nobody else's business."""
    with taken(tmp_path / "a" / "b") as data:
        assert stat.S_IMODE(data.path.stat().st_mode) == 0o700


def inheriting(fd: int) -> subprocess.Popen[bytes]:
    """A process that has `fd` open until its standard input ends."""
    code = "import sys; sys.stdin.read()"
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, pass_fds=(fd,))


async def test_waits_for_children_of_a_killed_run(tmp_path: Path) -> None:
    """A child that inherited the lock keeps the directory until it ends."""
    with taken(tmp_path) as data:
        await data.last_run_ended(nobody_waits)
        child = inheriting(data.children_lock)
    said: list[str] = []

    def waiting(text: str) -> None:
        said.append(text)
        child.communicate(b"")

    with taken(tmp_path) as data:
        await data.last_run_ended(waiting)
        assert child.returncode == 0
    assert said == ["waiting for the processes of the last run to end"]


async def test_children_that_do_not_end_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Better an error than two servers on the same files."""
    monkeypatch.setattr("tiebreak.embedded.data_directory.LAST_RUN_SECONDS", 0)
    with taken(tmp_path) as data:
        await data.last_run_ended(nobody_waits)
        data.write_run(run(tmp_path))
        copy = os.dup(data.children_lock)
    with taken(tmp_path) as data, pytest.raises(EmbeddedServerFailed, match="postgres 2"):
        await data.last_run_ended(lambda _: None)
    os.close(copy)


def test_run_file_is_private(tmp_path: Path) -> None:
    """URLs may hold passwords."""
    with taken(tmp_path) as data:
        data.write_run(run(tmp_path))
        assert stat.S_IMODE(data.run_file.stat().st_mode) == 0o600


async def test_sockets_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    """They lie outside the data directory, and nobody else would."""
    left = make_socket_directory()
    with taken(tmp_path) as data:
        data.write_run(run(left))
        await data.last_run_ended(nobody_waits)
    assert not left.exists()


async def test_nothing_else_is_removed(tmp_path: Path) -> None:
    """run.json is no order to delete any directory."""
    precious = tmp_path / "precious"
    precious.mkdir()
    with taken(tmp_path) as data:
        data.write_run(run(precious))
        await data.last_run_ended(nobody_waits)
    assert precious.exists()


def test_sockets_are_private_and_go_at_the_end(tmp_path: Path) -> None:
    """Whoever may enter the directory may use the database."""
    with taken(tmp_path) as data:
        with data.socket_directory() as sockets:
            data.write_run(run(sockets))
            assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert not sockets.exists()
        assert not data.run_file.exists()


def test_socket_paths_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long TMPDIR is not used: the kernel would refuse the path of a socket in it."""
    monkeypatch.setattr("tempfile.tempdir", "/" + "x" * LONGEST)
    directory = make_socket_directory()
    assert len(str(directory / ".s.PGSQL.5432.lock")) < 104
    directory.rmdir()
