"""Brings a database to the schema of this version.

Files NNNN_name.sql run in order, each in a transaction of its own together with the note that it ran, under
one advisory lock: any number of processes may call migrate() at once; a crash leaves whole migrations only.
"""

from __future__ import annotations

import re
from importlib.resources import files

import asyncpg

from tiebreak.database.pool import patiently
from tiebreak.errors import SchemaTooNew

FILE = re.compile(r"^(\d{4})_(\w+)\.sql$")
LOCK = 0x7469_6562  # "tieb"


def migration_files() -> list[tuple[int, str, str]]:
    """(number, name, SQL) of every migration, in order."""
    return sorted(
        (int(match[1]), match[2], entry.read_text(encoding="utf-8"))
        for entry in files(__name__).iterdir()
        if (match := FILE.match(entry.name))
    )


async def migrate(url: str, *, connect_seconds: float = 10.0) -> list[str]:
    """Run what has not run yet; the names of those that ran now.

    Raises SchemaTooNew when the database knows a migration that this version does not, DatabaseUnavailable
    when it does not answer. Safe to repeat.
    """

    async def connect() -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(url)

    connection = await patiently(connect, connect_seconds)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations "
            "(number integer PRIMARY KEY, name text NOT NULL, ran_at timestamptz NOT NULL DEFAULT now())"
        )
        ran = {row["number"] for row in await connection.fetch("SELECT number FROM schema_migrations")}
        known = migration_files()
        if unknown := ran - {number for number, _, _ in known}:
            raise SchemaTooNew(
                f"The database has migration {max(unknown):04}, which this version of Tiebreak does not know: "
                "start the newer version that made it."
            )
        new = [migration for migration in known if migration[0] not in ran]
        for number, name, statements in new:
            async with connection.transaction():
                await connection.execute(statements)
                await connection.execute("INSERT INTO schema_migrations (number, name) VALUES ($1, $2)", number, name)
        return [f"{number:04}_{name}" for number, name, _ in new]
    finally:
        await connection.close()
