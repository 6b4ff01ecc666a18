"""The script that becomes another program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deadline import eventually
from tiebreak.embedded import launcher
from tiebreak.embedded.privilege import Privilege, launch_line, owner_uid, unprivileged

WAYS = [Privilege.NAMESPACE, Privilege.NOBODY] if os.geteuid() == 0 else [Privilege.KEEP]


def launched(program: list[str], privilege: Privilege = Privilege.KEEP) -> subprocess.CompletedProcess[str]:
    line = launch_line(program, signal.SIGKILL, privilege)
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=20)


def test_becomes_the_program() -> None:
    """Arguments and exit status are the program's."""
    result = launched([sys.executable, "-c", "import sys; print(sys.argv[1:]); sys.exit(7)", "a b", "c"])
    assert (result.stdout, result.returncode) == ("['a b', 'c']\n", 7)


@pytest.mark.parametrize("way", WAYS)
def test_is_not_root(way: Privilege) -> None:
    """The program believes not to be root, and still reads what only we may read."""
    code = "import os; print(os.geteuid())"
    assert int(launched([sys.executable, "-c", code], way).stdout) != 0


@pytest.mark.parametrize("way", WAYS)
def test_passes_closed_directories(way: Privilege, tmp_path: Path) -> None:
    """A data directory below root's home is closed to others, and no reason to open it."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "file").write_text("read")
    code = f"print(open({str(closed / 'file')!r}).read())"
    assert launched([sys.executable, "-c", code], way).stdout == "read\n"


def test_an_owner_already_gone() -> None:
    """If the owner ended before the launcher could tie itself to it, nothing is started."""
    line = [sys.executable, "-I", "-S", launcher.__file__, "1", "9", "keep", sys.executable, "-c", "print('started')"]
    result = subprocess.run(line, capture_output=True, text=True, check=False, timeout=20)
    assert (result.stdout, result.returncode) == ("", launcher.OWNER_GONE)


def test_watching_ends_with_the_program() -> None:
    """Where the kernel does not help: the exit status is passed on."""
    assert launcher.watch(os.getppid(), signal.SIGKILL, [sys.executable, "-c", "raise SystemExit(7)"]) == 7


def test_watching_passes_signals_on() -> None:
    """A stop asked of the watcher reaches the program."""
    code = "import os, signal, time; os.kill(os.getppid(), signal.SIGTERM); time.sleep(600)"
    program = [sys.executable, "-c", code]
    watching = f"""
import os, sys
from tiebreak.embedded import launcher
sys.exit(launcher.watch(os.getppid(), 9, {program!r}))
"""
    result = subprocess.run([sys.executable, "-c", watching], check=False, timeout=20)
    assert result.returncode == 128 + signal.SIGTERM


def test_watching_notices_the_owners_end(tmp_path: Path) -> None:
    """The program gets its death signal when the owner is not the parent any more."""
    log = tmp_path / "program.log"
    program = [sys.executable, "-c", f"open({str(log)!r}, 'w').write('x'); import time; time.sleep(600)"]
    not_our_parent = 1 if os.getppid() != 1 else 2
    assert launcher.watch(not_our_parent, signal.SIGKILL, program) == -signal.SIGKILL
    assert eventually(lambda: not log.exists() or log.read_text() == "x")


def test_how_this_machine_does_it() -> None:
    """The probe finds a way here, and knows whose the files are then."""
    way = unprivileged()
    assert way in WAYS
    assert owner_uid(way) == (launcher.NOBODY if way is Privilege.NOBODY else os.geteuid())
