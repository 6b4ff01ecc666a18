"""Postgres, and what can be done to it. Killed it loses nothing that it acknowledged: only a machine's end could."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import msgspec

from bench.cpu_time import descendants
from chaos.process_tree import frozen, gone, signal_all
from tiebreak.database.migrations import migrate
from tiebreak.database.pool import patiently
from tiebreak.embedded.postgres import Postgres
from tiebreak.errors import EmbeddedServerFailed

# Few, so that all of them can be taken.
MAX_CONNECTIONS = 70
START_SECONDS = 30.0
PATIENCE_SECONDS = 20.0
RECOVERY_SECONDS = 5.0
END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND application_name <> 'chaos'
"""
# Nothing is written beyond it in any file, the write-ahead log included.
FULL_AT_BYTES = 65_536


class DatabaseServer:
    """A Postgres of our own on a Unix socket."""

    def __init__(self, folder: Path) -> None:
        self._server = Postgres(folder / "postgres", folder, folder / "postgres.log")
        program = self._server.child.program
        # fsync is for the end of a machine; a commit is in the kernel's hands before it is acknowledged all the same.
        options = (f"--max_connections={MAX_CONNECTIONS}", "--fsync=off", "--log_checkpoints=off")
        self._server.child.program = msgspec.structs.replace(program, command=program.command + options)
        self.url = self._server.url()
        self.socket = str(folder / ".s.PGSQL.5432")

    async def start(self) -> None:
        await self._server.prepare()
        await self._server.start()
        await migrate(self.url)

    async def stop(self) -> None:
        await self._server.stop()

    @property
    def pid(self) -> int:
        assert self._server.child.pid is not None
        return self._server.child.pid

    async def kill(self, seconds: float) -> None:
        """SIGKILL to the server; started again so much later."""
        async with self.killed():
            await asyncio.sleep(seconds)

    @asynccontextmanager
    async def killed(self) -> AsyncGenerator[None]:
        """SIGKILL to the server; started again at the end. Its connections' processes find out by themselves."""
        family = descendants(self.pid)
        os.kill(self.pid, signal.SIGKILL)
        await self._server.child.ended()
        await gone(family)
        yield
        self._server.forget_last_run()
        await self._start_again()

    async def restart(self, seconds: float) -> None:
        """An administrator's fast shutdown, and a start."""
        await self._server.stop()
        await asyncio.sleep(seconds)
        await self._start_again()

    async def freeze(self, seconds: float) -> None:
        await frozen(self.pid, seconds)

    async def kill_connections_process(self) -> None:
        """SIGKILL to one of its children, for which Postgres ends all connections and recovers."""
        async with self.connection() as connection:
            found = await connection.fetch(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
        # Seen from here its process ids are the same: it has a user namespace of its own and no other.
        for row in random.sample(found, min(1, len(found))):
            os.kill(row["pid"], signal.SIGKILL)

    async def end_connections(self) -> None:
        """As a failover of a connection pooler does."""
        async with self.connection() as connection:
            await connection.execute(END_OTHERS)

    @asynccontextmanager
    async def read_only(self) -> AsyncGenerator[None]:
        """As a database is that was demoted, or whose provider found it too full."""
        await self._set("default_transaction_read_only = on")
        try:
            yield
        finally:
            await self._set("default_transaction_read_only = off")

    @asynccontextmanager
    async def without_connections(self) -> AsyncGenerator[None]:
        """All are taken, by us, after those of the others were ended."""
        async with AsyncExitStack() as ours:
            first = await ours.enter_async_context(self.connection())
            while True:
                try:
                    taken = await self._connect()
                    ours.callback(taken.terminate)
                except (asyncpg.TooManyConnectionsError, TimeoutError):
                    if not await first.fetch(END_OTHERS):
                        break
            yield

    @asynccontextmanager
    async def locked(self) -> AsyncGenerator[None]:
        """Somebody's long transaction stands in the way of every answer."""
        async with self.connection() as connection, connection.transaction():
            await connection.execute("LOCK TABLE participant_answers IN EXCLUSIVE MODE")
            yield

    @asynccontextmanager
    async def without_room(self) -> AsyncGenerator[None]:
        """The disk is full, by a limit on the size of files.

        A Postgres that cannot write its log ends itself; somebody makes room, and starts it again.
        """
        family = descendants(self.pid)
        limit_files(family, FULL_AT_BYTES)
        try:
            yield
        finally:
            # The server first: whom it starts from now on has no limit.
            limit_files({self.pid}, resource.RLIM_INFINITY)
            family |= descendants(self.pid)
            limit_files(family, resource.RLIM_INFINITY)
            if not await self._recovers():
                signal_all(family | descendants(self.pid), signal.SIGKILL)
                await self._server.child.ended()
                await gone(family)
                self._server.forget_last_run()
                await self._start_again()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[asyncpg.Connection]:
        """Past the proxies; as soon as Postgres is there, which may have been hurt just now."""
        connection = await patiently(self._connect, PATIENCE_SECONDS)
        try:
            yield connection
        finally:
            connection.terminate()

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(self.url, timeout=5, server_settings={"application_name": "chaos"})

    async def _recovers(self) -> bool:
        """Whether it goes on by itself: it may be on its way out, or stuck in a recovery that had no room."""
        await asyncio.sleep(1)
        try:
            async with asyncio.timeout(RECOVERY_SECONDS):
                while self._server.child.running:
                    if await self._server.ping():
                        return True
                    await asyncio.sleep(0.1)
        except TimeoutError:
            pass
        return False

    async def _set(self, setting: str) -> None:
        async with self.connection() as connection:
            # Ours may be one of those that can only read.
            await connection.execute("SET default_transaction_read_only = off")
            await connection.execute(f"ALTER SYSTEM SET {setting}")
            await connection.execute("SELECT pg_reload_conf()")

    async def _start_again(self) -> None:
        async with asyncio.timeout(START_SECONDS):
            while True:
                try:
                    return await self._server.start()
                except EmbeddedServerFailed:  # the last run is not quite gone
                    await asyncio.sleep(0.2)


def limit_files(pids: set[int], size: int) -> None:
    """How large files may grow; writers beyond it get an error (EFBIG): they ignore the signal that comes with it."""
    for pid in pids:
        try:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        except ProcessLookupError:
            continue
