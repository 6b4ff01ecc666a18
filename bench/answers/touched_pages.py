"""How many pages of memory an answer alone touches: `.venv/bin/python -m bench.answers.touched_pages`.

After a pause code and data have left the processor's caches, and what an answer costs is how much of them it touches;
still more so where a busy host takes memory away. Times of such answers differ by a twentieth from run to run, pages
hardly do. The kernel notes which were referenced (/proc/PID/clear_refs and smaps, Linux only). Our reading of that
touches some, too: they are in the row of nothing.
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from bench.answers.idle import IDLE_SECONDS
from bench.answers.measure import QUICK, Bench
from bench.answers.report import TITLES
from bench.answers.room import Given
from bench.answers.ways import ONE, OURS, PLAIN, Way
from bench.results import table
from tests.servers import folder

ROUNDS = 30
# Then what follows an answer (ticks, nudges) is over.
SETTLED_SECONDS = 0.15
NOTHING = "nothing"
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
REFERENCED = re.compile(r"^Referenced: +(\d+) kB$", re.MULTILINE)


def forget(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("1")


def pages_touched(pid: int) -> int:
    """By a process, since they were forgotten."""
    kib = sum(int(found) for found in REFERENCED.findall(Path(f"/proc/{pid}/smaps").read_text()))
    return kib * 1_024 // os.sysconf("SC_PAGE_SIZE")


async def nothing(_: Given) -> None:
    await asyncio.sleep(0)


async def measured(bench: Bench) -> dict[str, list[tuple[int, int]]]:
    """By way, for each answer: pages of this process, and of the process of Postgres that did the work."""
    answers = bench.answers()
    async with AsyncExitStack() as closing:
        ways: dict[str, Way] = {NOTHING: nothing}
        for name in (PLAIN, ONE, OURS):
            ways[name] = await closing.enter_async_context(bench.way(name))
        for _ in range(ROUNDS):
            for way in ways.values():
                await asyncio.sleep(IDLE_SECONDS)
                await way(next(answers))
        backends = [row["pid"] for row in await bench.postgres.watcher.fetch(BACKENDS)]
        found: dict[str, list[tuple[int, int]]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                given = next(answers)
                await asyncio.sleep(SETTLED_SECONDS)
                for pid in (os.getpid(), *backends):
                    forget(pid)
                await way(given)
                found[name].append((pages_touched(os.getpid()), max(map(pages_touched, backends))))
    return found


async def main() -> None:
    with folder() as directory:
        async with Bench.opened(QUICK, directory) as bench:
            found = await measured(bench)
    rows = [
        [TITLES.get(name, name), *(f"{statistics.median(of):,.0f}" for of in zip(*pairs, strict=True))]
        for name, pairs in found.items()
    ]
    print(table(("an answer alone, pages touched", "our process", "Postgres's process"), rows))


if __name__ == "__main__":
    uvloop.run(main())
