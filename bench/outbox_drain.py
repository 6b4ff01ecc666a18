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
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import asyncpg
import structlog

from bench.cpu_time import cpu_seconds
from bench.postgres import measured_postgres
from tests.kafka_server import Kafka
from tests.servers import folder
from tiebreak.embedded.valkey import Valkey
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


class Drained(NamedTuple):
    """What so many workers did, and the CPU seconds of all of them, of Postgres and of the bus."""

    workers: int
    events: int
    seconds: float
    workers_cpu: float
    postgres_cpu: float
    bus_cpu: float
    doubled: int
    inversions: int

    def line(self) -> str:
        return (
            f"{self.workers} workers: {self.events / self.seconds:8,.0f} events/s ({self.seconds:.1f} s); "
            f"{self.events} events on the bus, {self.doubled} twice, {self.inversions} out of order"
        )


async def fill(url: str, count: int) -> None:
    connection = await asyncpg.connect(url)
    sessions = [new_id() for _ in range(SESSIONS)]
    shards = [shard_of(session) for session in sessions]
    await connection.execute("TRUNCATE events")
    await connection.execute(FILL, sessions, shards, count, SESSIONS, timeout=600)
    await connection.close()


async def drain(
    url: str, environ: dict[str, str], workers: int, clocks: Sequence[Callable[[], float]] = ()
) -> tuple[float, list[float]]:
    """Seconds from the first removal to the last; CPU seconds meanwhile: of the workers, then by each of `clocks`."""
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

    def read_clocks() -> list[float]:
        return [sum(cpu_seconds(process.pid) for process in processes), *(clock() for clock in clocks)]

    await connection.execute("COMMIT")
    started, before = time.perf_counter(), read_clocks()
    while await watcher.fetchval("SELECT EXISTS (SELECT FROM events)"):
        await asyncio.sleep(0.02)
    seconds = time.perf_counter() - started
    used = [now - then for now, then in zip(read_clocks(), before, strict=True)]
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        assert await process.wait() == 0
    await connection.close()
    await watcher.close()
    return seconds, used


async def check(environ: dict[str, str], count: int, run: int) -> tuple[int, int]:
    """Read everything back, at least once each: how many came twice, and how many out of their session's order."""
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
    return doubled, inversions


async def measure(bus: str, count: int, data: Path, workers: Sequence[int] = (1, 2, 4)) -> AsyncIterator[Drained]:
    """By number of workers: each time a bus of its own, empty at first, and the same Postgres."""
    async with measured_postgres(data) as postgres:
        url = postgres.server.url()
        for run, number in enumerate(workers):
            environ = dict(os.environ) | {"TIEBREAK_DATABASE_URL": url, "TIEBREAK_LOG_LEVEL": "warning"}
            async with AsyncExitStack() as closing:
                if bus == "kafka":
                    kafka = Kafka(data / f"kafka-{run}")
                    await kafka.start()
                    closing.push_async_callback(kafka.stop)
                    environ["TIEBREAK_KAFKA_SERVERS"] = kafka.servers
                    bus_process = kafka.child
                else:
                    (data / f"{run}").mkdir()
                    valkey = Valkey(data / f"valkey-{run}", data / f"{run}", data / "valkey.log")
                    await valkey.start()
                    closing.push_async_callback(valkey.stop)
                    environ["TIEBREAK_REDIS_URL"] = valkey.url()
                    bus_process = valkey.child
                async with opened_bus(read_settings(environ)) as opened:
                    await opened.create_topics()
                await fill(url, count)
                assert bus_process.pid
                clocks = (postgres.cpu_seconds, partial(cpu_seconds, bus_process.pid))
                seconds, used = await drain(url, environ, number, clocks)
                yield Drained(number, count, seconds, *used, *await check(environ, count, run))


async def main(bus: str, count: int, data: Path) -> None:
    async for drained in measure(bus, count, data):
        print(drained.line(), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bus", choices=["kafka", "streams"], default="kafka")
    parser.add_argument("--events", type=int, default=1_000_000)
    parsed = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    with folder() as directory:
        asyncio.run(main(parsed.bus, parsed.events, directory))
