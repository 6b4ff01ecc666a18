"""Hundreds of connections that begin something and say no more: what others notice, and how soon they are gone.

`.venv/bin/python -m bench.half_open`: `tiebreak up`, and a client that asks for a board, over HTTP and over a socket,
one request after the other: alone; beside --count silent connections, as many of each step of tests/dropping.py; and
beside the same with a byte a second on each (slow heads, slow bodies). Then how long it took the app server to end the
last of them, and what they cost in memory.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

import httpx
import uvloop

from bench.churn import ENOUGH, look, target_of
from bench.machine import machine
from tests.dropping import STEPS, Connection, Target
from tests.fuzz.socket_client import RawSocket
from tests.system import System, running_system

ASK_SECONDS = 4.0
# An idle connection of HTTP is kept for 75 s.
GONE_SECONDS = 120


class Asked(NamedTuple):
    """How long a client waited, in ms."""

    http: list[float]
    socket: list[float]


def ask(system: System, target: Target) -> Asked:
    """A board, again and again, for ASK_SECONDS."""
    path = f"/quiz-session/{target.quiz_session_id}/leaderboard"
    headers = {"Authorization": f"Bearer {target.token}"}
    asked = Asked([], [])
    until = time.monotonic() + ASK_SECONDS
    socket = RawSocket(system.base_url, target.token)
    message = {"quiz_session_id": target.quiz_session_id}
    with httpx.Client(base_url=system.base_url, headers=headers, timeout=60) as http:
        while time.monotonic() < until:
            asked.http.append(timed(lambda: http.get(path).raise_for_status()))
            asked.socket.append(timed(lambda: socket.ask("get_leaderboard", message)))
            # 20 messages a second are a client's share.
            time.sleep(0.05)
    socket.close()
    return asked


def timed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000


@contextlib.asynccontextmanager
async def silent(target: Target, count: int, *, trickling: bool) -> AsyncIterator[list[Connection]]:
    """So many of each step, that read what comes and say no more, or a byte a second."""
    connections = [Connection() for _ in range(count // len(STEPS) * len(STEPS))]
    for at, connection in enumerate(connections):
        await connection.open(target)
        await STEPS[at % len(STEPS)](connection, target)
    keeping = [asyncio.create_task(kept(it, trickling=trickling)) for it in connections]
    try:
        yield connections
        async with asyncio.timeout(GONE_SECONDS):
            await asyncio.gather(*keeping)
    finally:
        for connection in connections:
            connection.writer.transport.abort()


async def kept(connection: Connection, *, trickling: bool) -> None:
    """Until the server ends it."""

    async def trickle() -> None:
        while True:
            await asyncio.sleep(1)
            connection.send(b" ")

    task = asyncio.create_task(trickle()) if trickling else None
    with contextlib.suppress(ConnectionError):
        while await connection.reader.read(65_536):
            pass
    if task:
        task.cancel()


def row(name: str, asked: Asked, more: str = "| | |") -> str:
    cells = []
    for waits in asked:
        ranked = sorted(waits)
        cells.append(f"{ranked[len(ranked) // 2]:.1f} | {ranked[int(len(ranked) * 0.99)]:.1f}")
    return f"| {name} | {' | '.join(cells)} {more}"


async def beside(system: System, target: Target, count: int, *, trickling: bool) -> str:
    before = look(system.pid("app-server"), system.base_url, 0, 0)
    began = time.monotonic()
    async with silent(target, count, trickling=trickling) as connections:
        asked = await asyncio.to_thread(ask, system, target)
        at_most = look(system.pid("app-server"), system.base_url, 0, 0)
    gone = time.monotonic() - began
    cost = (at_most.rss_bytes - before.rss_bytes) / len(connections) / 1024
    name = f"{len(connections)} {'trickling' if trickling else 'silent'}"
    return row(name, asked, f"| {gone:.0f} | {cost:.1f} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=900)
    arguments = parser.parse_args()
    print(", ".join(f"{name} {value}" for name, value in machine().items()) + "\n")
    print("| beside | HTTP p50 (ms) | p99 | socket p50 (ms) | p99 | gone after (s) | KB each |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    with running_system(environ=ENOUGH) as system:
        target = target_of(system)
        ask(system, target)
        print(row("nobody", ask(system, target)), flush=True)
        for trickling in (False, True):
            print(uvloop.run(beside(system, target, arguments.count, trickling=trickling)), flush=True)
        logs = (system.data / "logs").glob("*.log")
        return 1 if any("Traceback" in Path(log).read_text() for log in logs) else 0


if __name__ == "__main__":
    sys.exit(main())
