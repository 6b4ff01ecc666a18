"""Whether the outbox stays small: its size while two million events pass through it.

`.venv/bin/python -m bench.outbox_size`: events are written in transactions of 1,000 and carried off by a real publisher
worker at the same time; at every tenth of the way the size of table and indexes is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

import asyncpg

from bench.outbox_drain import FILL, SESSIONS
from tests.servers import folder, valkey_server
from tiebreak.database.migrations import migrate
from tiebreak.embedded.postgres import Postgres
from tiebreak.events import shard_of
from tiebreak.ids import new_id

WRITTEN_AT_ONCE = 1_000
MOST_WAITING = 20_000


async def main(count: int, data: Path, redis_url: str) -> None:
    postgres = Postgres(data / "postgres", data, data / "postgres.log")
    await postgres.prepare()
    await postgres.start()
    environ = dict(os.environ) | {"TIEBREAK_DATABASE_URL": postgres.url(), "TIEBREAK_REDIS_URL": redis_url}
    await migrate(postgres.url())
    connection = await asyncpg.connect(postgres.url())
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tiebreak", "publisher-worker"), env=environ, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        sessions = [new_id() for _ in range(SESSIONS)]
        shards = [shard_of(session) for session in sessions]
        for written in range(WRITTEN_AT_ONCE, count + 1, WRITTEN_AT_ONCE):
            await connection.execute(FILL, sessions, shards, WRITTEN_AT_ONCE, SESSIONS)
            if written % (10 * WRITTEN_AT_ONCE) == 0:
                while await connection.fetchval("SELECT count(*) FROM events") > MOST_WAITING:
                    await asyncio.sleep(0.02)
            if written % (count // 10) == 0:
                waiting = await connection.fetchval("SELECT count(*) FROM events")
                table = await connection.fetchval("SELECT pg_table_size('events')")
                indexes = await connection.fetchval("SELECT pg_indexes_size('events')")
                size = f"table {table / 1e6:6.1f} MB, indexes {indexes / 1e6:6.1f} MB"
                print(f"{written:9} events: {size}, {waiting} waiting", flush=True)
    finally:
        worker.send_signal(signal.SIGTERM)
        await worker.wait()
        await connection.close()
        await postgres.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=2_000_000)
    parsed = parser.parse_args()
    with folder() as directory, valkey_server() as url:
        asyncio.run(main(parsed.events, directory, url))
