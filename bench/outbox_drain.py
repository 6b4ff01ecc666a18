"""How fast waiting events leave the outbox, with 1, 2 and 4 publisher workers.

`.venv/bin/python -m bench.outbox_drain`: real worker processes on an embedded Postgres (durable) and a real Kafka
(`--bus streams`: an embedded Valkey). Prints events per second from the moment all workers are there to the last
removal, and checks that the bus has each event exactly once and in the order of its session.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from collections import defaultdict
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import asyncpg
import structlog

from tests.kafka_server import Kafka
from tests.servers import folder, valkey_server
from tiebreak.database.migrations import migrate
from tiebreak.embedded.postgres import Postgres
from tiebreak.event_bus.choice import opened_bus
from tiebreak.events import TOPIC, decode, shard_of
from tiebreak.ids import new_id
from tiebreak.settings import read_settings

SESSIONS = 500
FILL = """
INSERT INTO events (id, event_name, type, payload, quiz_session_id, shard)
SELECT uuidv7(), 'participant_score_change', 'ADD_ANSWER', jsonb_build_object(
    'participant_answer_id', uuidv7(), 'quiz_session_id', s.id, 'quiz_session_participant_id', s.id,
    'name', 'A player', 'question_id', s.id, 'score', 100, 'answered_at_ms', 1795000000000 + n), s.id, s.shard
FROM generate_series(1, $3::int) n
JOIN unnest($1::uuid[], $2::smallint[]) WITH ORDINALITY AS s (id, shard, place) ON s.place = n % $4 + 1
ORDER BY n
"""


async def fill(url: str, count: int) -> None:
    connection = await asyncpg.connect(url)
    sessions = [new_id() for _ in range(SESSIONS)]
    shards = [shard_of(session) for session in sessions]
    await connection.execute("TRUNCATE events")
    await connection.execute(FILL, sessions, shards, count, SESSIONS, timeout=600)
    await connection.close()


async def drain(url: str, environ: dict[str, str], workers: int, count: int) -> float:
    """Seconds from the first removal to the last."""
    connection = await asyncpg.connect(url)
    command = (sys.executable, "-m", "tiebreak", "publisher-worker")
    # Paused until all of them are there, so that start-up times do not count.
    await connection.execute("BEGIN; SELECT pg_advisory_xact_lock(7598)")
    processes = [
        await asyncio.create_subprocess_exec(*command, env=environ, stderr=asyncio.subprocess.DEVNULL)
        for _ in range(workers)
    ]
    watcher = await asyncpg.connect(url)
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while await watcher.fetchval(waiting) < workers:
        await asyncio.sleep(0.05)
    await connection.execute("COMMIT")
    started = time.perf_counter()
    while await watcher.fetchval("SELECT EXISTS (SELECT FROM events)"):
        await asyncio.sleep(0.05)
    seconds = time.perf_counter() - started
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        assert await process.wait() == 0
    await connection.close()
    await watcher.close()
    return seconds


async def check(environ: dict[str, str], count: int, run: int) -> str:
    """Read everything back: each event once, and in order within its session."""
    seen: set[object] = set()
    last: dict[object, int] = defaultdict(int)
    inversions = doubled = 0
    async with opened_bus(read_settings(environ)) as bus:
        consumer = await bus.consumer(TOPIC, group=f"check-{run}-{os.getpid()}")
        quiet_since = time.monotonic()
        while len(seen) < count or time.monotonic() - quiet_since < 2:
            records = await consumer.poll(limit=5_000, timeout_seconds=0.5)
            if records:
                quiet_since = time.monotonic()
            assert time.monotonic() - quiet_since < 30, f"only {len(seen)} of {count} events arrived"
            for record in records:
                event = decode(record.value)
                doubled += event.id in seen
                inversions += event.payload.answered_at_ms < last[record.key]
                seen.add(event.id)
                last[record.key] = event.payload.answered_at_ms
            await consumer.commit(records)
        await consumer.close()
    return f"{len(seen)} events on the bus, {doubled} twice, {inversions} out of order"


async def main(bus: str, count: int, data: Path) -> None:
    async with AsyncExitStack() as closing:
        stack = closing.enter_context(ExitStack())
        postgres = Postgres(data / "postgres", data, data / "postgres.log")
        await postgres.prepare()
        await postgres.start()
        closing.push_async_callback(postgres.stop)
        await migrate(postgres.url())
        for run, workers in enumerate((1, 2, 4)):
            environ = dict(os.environ) | {"TIEBREAK_DATABASE_URL": postgres.url(), "TIEBREAK_LOG_LEVEL": "warning"}
            async with AsyncExitStack() as one_run:
                if bus == "kafka":
                    kafka = Kafka(data / f"kafka-{run}")
                    await kafka.start()
                    one_run.push_async_callback(kafka.stop)
                    environ["TIEBREAK_KAFKA_SERVERS"] = kafka.servers
                else:
                    environ["TIEBREAK_REDIS_URL"] = stack.enter_context(valkey_server())
                async with opened_bus(read_settings(environ)) as opened:
                    await opened.create_topics()
                await fill(postgres.url(), count)
                seconds = await drain(postgres.url(), environ, workers, count)
                print(f"{workers} workers: {count / seconds:8.0f} events/s ({seconds:.1f} s); ", end="", flush=True)
                print(await check(environ, count, run), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bus", choices=["kafka", "streams"], default="kafka")
    parser.add_argument("--events", type=int, default=1_000_000)
    parsed = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    with folder() as directory:
        asyncio.run(main(parsed.bus, parsed.events, directory))
