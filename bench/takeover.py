"""What it costs to fence a late owner off, by where the version stands: `.venv/bin/python -m bench.takeover`.

With so many events waiting: raising a version in every event, against raising one in every lease.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

import asyncpg

from bench.outbox_drain import fill
from tests.servers import folder
from tiebreak.database.migrations import migrate
from tiebreak.embedded.postgres import Postgres

SIZE = "SELECT pg_total_relation_size('events')"
WAYS = {
    "a version in every event": "UPDATE events SET version = version + 1 WHERE shard = ANY($1)",
    "a version in every lease": "UPDATE outbox_leases SET version = version + 1 WHERE shard = ANY($1)",
}


async def main(count: int, data: Path) -> None:
    postgres = Postgres(data / "postgres", data, data / "postgres.log")
    await postgres.prepare()
    await postgres.start()
    try:
        await migrate(postgres.url())
        connection = await asyncpg.connect(postgres.url())
        await connection.execute("ALTER TABLE events ADD COLUMN version integer NOT NULL DEFAULT 0")
        for name, statement in WAYS.items():
            await fill(postgres.url(), count)
            before = await connection.fetchval(SIZE)
            started = time.perf_counter()
            await connection.execute(statement, list(range(64)), timeout=600)
            seconds = time.perf_counter() - started
            after = await connection.fetchval(SIZE)
            print(f"{name}: {seconds:7.3f} s, {before / 1e6:.0f} -> {after / 1e6:.0f} MB, {count} events waiting")
        await connection.close()
    finally:
        await postgres.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parsed = parser.parse_args()
    with folder() as directory:
        asyncio.run(main(parsed.events, directory))
