"""The directory `tiebreak up` keeps: databases, logs, locks, and run.json, which says what runs.

postgres/  valkey/       the data
logs/CHILD.log           output of each process; put aside as CHILD.log.1 at a start once it is large
demo-host.json           see DemoHost
run.json                 see Run; there while `tiebreak up` runs
lock, children.lock      see taken()
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from tiebreak.embedded.child import turn_over
from tiebreak.embedded.socket_directory import PREFIX, make_socket_directory
from tiebreak.errors import EmbeddedServerFailed

RUN_FILE = "run.json"
LAST_RUN_SECONDS = 45.0


class Run(Struct, frozen=True, kw_only=True):
    """What runs now, for tools and tests; rewritten whenever a child is started again. Process ids by name."""

    supervisor: int
    base_url: str
    database_url: str
    redis_url: str
    sockets: str
    kafka_servers: str = ""
    children: dict[str, int]


class DemoHost(Struct, frozen=True):
    """The host of the sample quizzes; `seeded` once they are all there."""

    email: str
    password: str
    seeded: bool


class DataDirectory:
    """Paths below the data directory. Made by taken(), which is what makes it ours."""

    def __init__(self, path: Path, children_lock: int) -> None:
        self.path = path
        self.children_lock = children_lock
        self.postgres = path / "postgres"
        self.valkey = path / "valkey"
        self.run_file = path / RUN_FILE
        self.demo_host_file = path / "demo-host.json"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def log(self, name: str) -> Path:
        """The log of a child, put aside first if it is large."""
        log = self.logs / f"{name}.log"
        turn_over(log)
        return log

    async def last_run_ended(self, waiting: Callable[[str], None]) -> None:
        """Wait until no process of an earlier, killed run is left, `waiting` being told, and remove its sockets.

        Raises EmbeddedServerFailed, naming them, when they do not end.
        """
        last = self.run()
        if not locked(self.children_lock):
            waiting("waiting for the processes of the last run to end")
            await self._locked_in_time(last)
        if last is not None and is_our_socket_directory(Path(last.sockets)):
            shutil.rmtree(last.sockets, ignore_errors=True)

    async def _locked_in_time(self, last: Run | None) -> None:
        deadline = asyncio.get_running_loop().time() + LAST_RUN_SECONDS
        while not locked(self.children_lock):
            if asyncio.get_running_loop().time() > deadline:
                children = {} if last is None else last.children
                named = ", ".join(f"{name} {pid}" for name, pid in children.items())
                raise EmbeddedServerFailed(
                    f"Processes of an earlier `tiebreak up` on {self.path} still run; end them first: {named}."
                )
            await asyncio.sleep(0.05)

    def run(self) -> Run | None:
        """What runs, or ran when the supervisor was killed."""
        return run_of(self.path)

    def write_run(self, run: Run) -> None:
        """Replace run.json; a reader sees the old or the new one. Only for our eyes: URLs may hold passwords."""
        write_privately(self.run_file, run)

    def demo_host(self) -> DemoHost | None:
        """The demo host of this data directory, if one was made."""
        try:
            return msgspec.json.decode(self.demo_host_file.read_bytes(), type=DemoHost)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def write_demo_host(self, demo_host: DemoHost) -> None:
        write_privately(self.demo_host_file, demo_host)

    @contextmanager
    def socket_directory(self) -> Generator[Path]:
        """A new directory for sockets; run.json, which names it, goes with it."""
        sockets = make_socket_directory()
        try:
            yield sockets
        finally:
            shutil.rmtree(sockets, ignore_errors=True)
            self.run_file.unlink(missing_ok=True)


def run_of(path: Path) -> Run | None:
    """What `tiebreak up` runs on that data directory, or ran when it was killed."""
    try:
        return msgspec.json.decode((path / RUN_FILE).read_bytes(), type=Run)
    except (OSError, msgspec.DecodeError):
        return None


def is_our_socket_directory(path: Path) -> bool:
    """Whether make_socket_directory() made it: run.json must be no order to remove just anything."""
    return path.name.startswith(PREFIX) and path.is_dir() and path.stat().st_uid == os.geteuid()


def write_privately(path: Path, content: Struct) -> None:
    """Replace a file that only we may read."""
    new = path.with_name(path.name + ".new")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(fd, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
    new.replace(path)


@contextmanager
def taken(path: Path) -> Generator[DataDirectory]:
    """The data directory, made if it is not there, and nobody else's until the end.

    Two locks: `lock` is the supervisor's alone, and taken here. `children.lock` is inherited by every child, so that
    having it proves that no process of an earlier, killed run is left: see last_run_ended().
    Raises EmbeddedServerFailed if another `tiebreak up` has the directory or it cannot be used.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        (path / "logs").mkdir(mode=0o700, exist_ok=True)
        lock, children_lock = open_lock(path / "lock"), open_lock(path / "children.lock")
    except OSError as error:
        raise EmbeddedServerFailed(f"The data directory {path} cannot be used: {error.strerror}.") from error
    try:
        if not locked(lock):
            raise EmbeddedServerFailed(
                f"The data directory {path} is in use by another `tiebreak up`: end that one, or choose another "
                "directory with --data."
            )
        yield DataDirectory(path, children_lock)
    finally:
        os.close(children_lock)
        os.close(lock)


def open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def locked(fd: int) -> bool:
    """Take the lock if it is free. It lasts until every copy of `fd`, in any process, is closed."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
