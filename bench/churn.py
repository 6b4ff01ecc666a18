"""A hundred thousand connections come, get so far, and drop: does the app server give back what they cost?

`.venv/bin/python -m bench.churn`: `tiebreak up`, and clients that leave it in each way of tests/dropping.py, by RST and
by FIN. Every so many cycles it waits until the server has noticed, and looks at memory (RSS) and descriptors of the app
server. Level means: no connection of a client is left, no descriptor but those of pools, and in the second half RSS
grows by less than LEAK_BYTES a cycle. Whatever could be left of a connection is more: an empty object in a list is 16
bytes, and 8 for its place.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

import httpx
import uvloop

from bench.machine import machine
from bench.processes import BenchFailed
from tests.deadline import eventually
from tests.dropping import WAYS, Target, drop
from tests.fuzz.http_stage import Stage
from tests.system import System, running_system

# A connection that joins no namespace, or half a head, is closed after 5 s; a poll that nobody takes up after that.
SETTLED_SECONDS = 60
LEAK_BYTES = 24
# httpx keeps so many connections to the auth server, and closes idle ones when it is used again only.
POOLED = 20
ENOUGH = {"TIEBREAK_LIMIT_SOCKETS_PER_USER": "100000", "TIEBREAK_LIMIT_SOCKETS_PER_ADDRESS": "100000"}


class Look(NamedTuple):
    """At the app server, at rest."""

    cycles: int
    seconds: float
    rss_bytes: int
    descriptors: int
    accepted: int
    sessions: int


def look(pid: int, base_url: str, cycles: int, started: float) -> Look:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    rss_bytes = pages * os.sysconf("SC_PAGE_SIZE")
    held = held_by(pid)
    accepted = len(held & to_port(pid, int(base_url.rpartition(":")[2])))
    return Look(cycles, time.monotonic() - started, rss_bytes, len(held), accepted, sessions_of(base_url))


def held_by(pid: int) -> set[str]:
    """The process's descriptors, each by what it leads to; what is closed meanwhile is left out."""
    found = set[str]()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(f"{descriptor.readlink()}")
    return found


def to_port(pid: int, port: int) -> set[str]:
    """The TCP connections that came to this port, as descriptors lead to them."""
    lines = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    # All but the one that listens.
    return {f"socket:[{it[9]}]" for it in lines if it[1].endswith(f":{port:04X}") and it[3] != "0A"}


def sessions_of(base_url: str) -> int:
    """Engine.IO sessions, as the server counts them."""
    metrics = httpx.get(f"{base_url}/metrics").raise_for_status().text
    [line] = [it for it in metrics.splitlines() if it.startswith("tiebreak_socket_connections ")]
    return int(float(line.split()[1]))


def target_of(system: System) -> Target:
    """A session with a question that its host, who has joined, may answer."""
    stage = Stage(system.base_url)
    known = stage.prepare()
    port = int(system.base_url.rpartition(":")[2])
    return Target(port, stage.host["access_token"], known["quiz_session_id"][1], known["question_id"][0])


def churn(system: System, cycles: int, every: int, at_once: int) -> list[Look]:
    pid, base_url = system.pid("app-server"), system.base_url
    started, looks = time.monotonic(), list[Look]()

    def settled() -> bool:
        seen.append(look(pid, base_url, at, started))
        return seen[-1].accepted == seen[-1].sessions == 0

    for at in range(0, cycles + 1, every):
        if at:
            # A token lives for 15 minutes, which so many cycles might take.
            uvloop.run(drop(target_of(system), every, at_once=at_once))
        else:
            # What is opened once, and as it is needed: connections to Postgres and Redis, caches.
            uvloop.run(ask_at_once(base_url, target_of(system), 200))
            uvloop.run(drop(target_of(system), 50 * len(WAYS), at_once=at_once))
        seen = list[Look]()
        try:
            eventually(settled, seconds=SETTLED_SECONDS)
        except AssertionError as error:
            raise BenchFailed(f"Still there after {len(seen)} looks: {seen[0]}, then {seen[-1]}") from error
        looks.append(seen[-1])
        print(line_of(looks[-1]), flush=True)
    return looks


async def ask_at_once(base_url: str, target: Target, times: int) -> None:
    """For a board, which takes Postgres and Redis, by as many as wait for their pools."""
    headers = {"Authorization": f"Bearer {target.token}"}
    limits = httpx.Limits(max_connections=times)
    async with httpx.AsyncClient(base_url=base_url, headers=headers, limits=limits, timeout=60) as http:
        path = f"/quiz-session/{target.quiz_session_id}/leaderboard"
        for response in await asyncio.gather(*(http.get(path) for _ in range(times))):
            response.raise_for_status()


def line_of(seen: Look) -> str:
    rss = f"{seen.rss_bytes / 2**20:.1f}"
    return f"| {seen.cycles:,} | {seen.seconds:.0f} | {rss} | {seen.descriptors} | {seen.accepted} | {seen.sessions} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=100_000)
    parser.add_argument("--every", type=int, default=10_000, help="cycles between two looks")
    parser.add_argument("--at-once", type=int, default=50)
    arguments = parser.parse_args()
    print(", ".join(f"{name} {value}" for name, value in machine().items()) + "\n")
    print(
        "| cycles | seconds | RSS (MB) | descriptors | of clients | sessions |\n|---:|---:|---:|---:|---:|---:|",
        flush=True,
    )
    with running_system(environ=ENOUGH) as system:
        looks = churn(system, arguments.cycles, arguments.every, arguments.at_once)
    half = looks[len(looks) // 2]
    grown = (looks[-1].rss_bytes - half.rss_bytes) / (looks[-1].cycles - half.cycles)
    level = grown <= LEAK_BYTES and looks[-1].descriptors <= looks[0].descriptors + POOLED
    print(f"\nsecond half: {grown:+.1f} bytes a cycle, at most {LEAK_BYTES}: {'level' if level else 'NOT LEVEL'}")
    return 0 if level else 1


if __name__ == "__main__":
    sys.exit(main())
