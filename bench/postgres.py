"""An embedded Postgres as `tiebreak up` runs it, migrated, with what it costs: CPU time and waits for the disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg

from bench.cpu_time import tree_seconds
from tiebreak.database.migrations import migrate
from tiebreak.embedded.postgres import Postgres

# Of all processes together. A busy one reports once a second: over a few seconds, both ends are late alike.
LOG_SYNCS = """
SELECT coalesce(sum(fsyncs), 0)::bigint AS count, coalesce(sum(fsync_time), 0)::float8 / 1000 AS seconds
FROM pg_stat_io WHERE object = 'wal'
"""


class Cost(NamedTuple):
    """Since the start of the server. The log is synced by one process at a time: its seconds are wall time."""

    cpu_seconds: float
    syncs: int
    sync_seconds: float

    def __sub__(self, earlier: Cost) -> Cost:
        return Cost(*(now - before for now, before in zip(self, earlier, strict=True)))


class MeasuredPostgres:
    """A running server and a connection of our own to watch it with."""

    def __init__(self, server: Postgres, watcher: asyncpg.Connection) -> None:
        self.server = server
        self.watcher = watcher

    def cpu_seconds(self) -> float:
        assert self.server.child.pid
        return tree_seconds(self.server.child.pid)

    async def cost(self) -> Cost:
        row = await self.watcher.fetchrow(LOG_SYNCS)
        return Cost(self.cpu_seconds(), row["count"], row["seconds"])


@asynccontextmanager
async def measured_postgres(directory: Path) -> AsyncIterator[MeasuredPostgres]:
    """Durable: every commit is on the disk when it returns."""
    server = Postgres(directory / "postgres", directory, directory / "postgres.log")
    await server.prepare()
    try:
        await server.start()
        await migrate(server.url())
        watcher = await asyncpg.connect(server.url())
        await watcher.execute("ALTER SYSTEM SET track_wal_io_timing = on")
        await watcher.execute("SELECT pg_reload_conf()")
        yield MeasuredPostgres(server, watcher)
        await watcher.close()
    finally:
        await server.stop()
