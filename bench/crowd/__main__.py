"""Ten thousand sockets come, sit in 100 rooms, get broadcasts and leave: how long is the server's loop blocked?

`.venv/bin/python -m bench.crowd`: a server process and a process of clients on two cores. A table, then JSON. The loop
is asked every 5 ms whether it comes round; `--gc` compares ways of tending the garbage collector. With `--stalled`: a
reader that stops reading for a minute among 1,000 that read, 10 broadcasts a second, and what the others notice of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

ANSWER_SECONDS = 300
CONNECTIONS_BESIDE = 500
COLUMNS = ("seconds", "sockets", "longest", "cpu", "gc", "longest_cpu", "p99", "over_50")


class Program:
    """A process that does what a line of JSON says and answers with one."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def ask(self, do: str, **told: object) -> dict[str, Any]:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"do": do, **told}).encode() + b"\n")
        return await self.answer()

    async def answer(self) -> dict[str, Any]:
        assert self._process.stdout
        async with asyncio.timeout(ANSWER_SECONDS):
            line = await self._process.stdout.readline()
        assert line, "it ended"
        return json.loads(line)


@asynccontextmanager
async def running(module: str, *arguments: str) -> AsyncIterator[tuple[Program, dict[str, Any]]]:
    """The program, and its first answer; it ends with its standard input."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, stdin=PIPE, stdout=PIPE)
    try:
        program = Program(process)
        yield program, await program.answer()
        assert process.stdin
        process.stdin.close()
        async with asyncio.timeout(30):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def stage(garbage: str) -> AsyncIterator[tuple[Program, Program]]:
    """A server, and an audience that can reach it."""
    async with (
        running("bench.crowd.server", garbage) as (server, said),
        running("bench.crowd.audience", str(said["port"])) as (audience, _),
    ):
        yield server, audience


async def crowd(arguments: argparse.Namespace, garbage: str) -> dict[str, dict[str, Any]]:
    """Figures of the server's loop by phase."""
    count, rooms = arguments.sockets, [f"room {number}" for number in range(arguments.rooms)]
    phases: dict[str, dict[str, Any]] = {}
    async with stage(garbage) as (server, audience):

        async def connect(name: str) -> None:
            await audience.ask("connect", count=count, rooms=len(rooms), at_once=arguments.at_once)
            phases[name] = await server.ask("until", sockets=count)

        async def broadcast(name: str, to: list[str | None], *, rounds: int = 20, spread: bool = False) -> None:
            await audience.ask("take")
            # So many messages as one core sends, and the other reads, in half of the time.
            pace = {"every_seconds": count * 40e-6, "spread": spread}
            figures = await server.ask("broadcast", rounds=rounds, rooms=to, **pace)
            heard = await audience.ask("hear", boards=rounds * count)
            phases[name] = figures | {"p50_ms": heard["p50_ms"], "p99_ms": heard["p99_ms"]}

        await server.ask("take")
        await connect("connect")
        await asyncio.sleep(arguments.sit_seconds)
        phases["sit"] = await server.ask("take")
        await broadcast("all rooms at once", [*rooms])
        await broadcast("one room after the other", [*rooms], spread=True)
        await broadcast("everyone", [None])
        await audience.ask("leave", at_once=arguments.at_once)
        phases["leave"] = await server.ask("until", sockets=0)
        await connect("connect again")
        await audience.ask("drop")
        phases["drop all at once"] = await server.ask("until", sockets=0)
        await connect("connect once more")
        phases["server closes"] = await server.ask("close")
    return phases


async def stalled(arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """What 1,000 readers notice of one that has stopped, and what it costs the server."""
    runs: dict[str, dict[str, Any]] = {}
    async with stage("tended") as (server, audience):
        await audience.ask("connect", count=1_000, rooms=1, at_once=100)
        for name, stall, volatile in (
            ("nobody stalls", False, False),
            ("one stalls", True, False),
            ("one stalls, volatile messages", True, True),
            ("nobody stalls, again", False, False),
        ):
            await server.ask("start")
            await audience.ask("take")
            if stall:
                await audience.ask("stall", room="room 0")
            rounds = arguments.stalled_seconds * 10
            figures = await server.ask(
                "broadcast", rounds=rounds, rooms=["room 0"], every_seconds=0.1, volatile=volatile
            )
            heard = await audience.ask("hear", boards=1_000 * rounds)
            runs[name] = figures | {key: heard[key] for key in ("p50_ms", "p99_ms", "max_ms")}
    return runs


def table(title: str, columns: tuple[str, ...], rows: dict[str, dict[str, Any]]) -> None:
    widths = [max(10, len(column) + 2) for column in columns]
    print(f"\n{title:32}" + "".join(f"{column:>{width}}" for column, width in zip(columns, widths, strict=True)))
    for name, figures in rows.items():
        cells = (f"{figures.get(column, '')!s:>{width}}" for column, width in zip(columns, widths, strict=True))
        print(f"{name:32}" + "".join(cells), flush=True)


async def main(arguments: argparse.Namespace) -> None:
    results: dict[str, Any] = {}
    if arguments.stalled:
        results["stalled"] = await stalled(arguments)
        columns = ("p50_ms", "p99_ms", "max_ms", "longest_cpu", "stalled_largest_buffer", "volatile_skipped", "closed")
        table("", columns, results["stalled"])
    else:
        for garbage in arguments.gc:
            results[garbage] = await crowd(arguments, garbage)
            table(f"collector: {garbage} (ms)", (*COLUMNS, "p99_ms"), results[garbage])
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=10_000)
    parser.add_argument("--rooms", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=200, help="sockets that connect, or leave, at the same time")
    parser.add_argument("--sit-seconds", type=int, default=30)
    parser.add_argument("--stalled", action="store_true")
    parser.add_argument("--stalled-seconds", type=int, default=60)
    ways = ("tended", "frozen", "rare", "default", "off")
    parser.add_argument("--gc", nargs="+", choices=ways, default=["tended"])
    parsed = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, parsed.sockets + CONNECTIONS_BESIDE)
    if hard < wanted:
        parser.error(f"{parsed.sockets} sockets need {wanted} open files, but `ulimit -Hn` says {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    asyncio.run(main(parsed))
