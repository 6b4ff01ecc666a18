"""Lets a fault happen on the stage, and ends it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack
from time import perf_counter
from typing import assert_never

import msgspec

from chaos.process_tree import frozen
from chaos.schedule import CACHE, POSTGRES, Fault, Kind, source
from chaos.stage import Stage

# A fault that cannot even be brought about after so long: the stage itself is broken.
LONGEST_SECONDS = 60.0


class Struck(msgspec.Struct):
    """A fault that happened. Times are perf_counter; `recovered_seconds` after its end, once that is known."""

    fault: Fault
    began: float
    ended: float = 0.0
    acknowledged_seconds: float | None = None
    seen_seconds: float | None = None


class Faults:
    """One at a time for each target; those of different targets overlap."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._busy: dict[str, asyncio.Lock] = {}
        self.struck: list[Struck] = []

    async def strike(self, fault: Fault) -> None:
        """Let it happen, from beginning to end. Raises what prevented it."""
        async with AsyncExitStack() as turns:
            for name in sorted(touched(fault)):
                await turns.enter_async_context(self._busy.setdefault(name, asyncio.Lock()))
            struck = Struck(fault, perf_counter())
            async with asyncio.timeout(LONGEST_SECONDS + fault.seconds):
                await happen(self._stage, fault)
            struck.ended = perf_counter()
            self.struck.append(struck)


def touched(fault: Fault) -> set[str]:
    """What no other fault may touch meanwhile."""
    killed = {source(fault.target)} if fault.kind is Kind.KILL_WAITING else set[str]()
    return {fault.target, *killed}


async def happen(stage: Stage, fault: Fault) -> None:
    match fault.kind:
        case Kind.KILL | Kind.FREEZE | Kind.TERMINATE | Kind.CLOCK:
            await to_process(stage, fault)
        case Kind.KILL_SERVER | Kind.FREEZE_SERVER | Kind.RESTART_SERVER | Kind.FULL_DISK:
            await to_server(stage, fault)
        case Kind.KILL_WAITING | Kind.CUT | Kind.REFUSE | Kind.STALL | Kind.HALF_OPEN | Kind.SLOW | Kind.NARROW:
            await to_link(stage, fault)
        case Kind.KILL_BACKEND | Kind.END_BACKENDS | Kind.NO_CONNECTIONS | Kind.READ_ONLY_DATABASE | Kind.LOCK:
            await to_database(stage, fault)
        case Kind.READ_ONLY_CACHE | Kind.FULL_CACHE | Kind.SCRIPT_FLUSH | Kind.FLUSH | Kind.FORGET | Kind.FAILOVER:
            await to_cache(stage, fault)
        case _:
            assert_never(fault.kind)


async def to_process(stage: Stage, fault: Fault) -> None:
    process = stage.processes[fault.target]
    match fault.kind:
        case Kind.KILL:
            await process.kill()
        case Kind.TERMINATE:
            await process.terminate()
        case Kind.FREEZE:
            while (pid := process.pid) is None:
                await asyncio.sleep(0.05)
            await frozen(pid, fault.seconds)
        case _:
            process.clock.set(fault.amount)
            await asyncio.sleep(fault.seconds)
            process.clock.set(0.0)


async def to_server(stage: Stage, fault: Fault) -> None:
    server = {POSTGRES: stage.database, CACHE: stage.cache}.get(fault.target) or stage.broker
    match fault.kind:
        case Kind.KILL_SERVER:
            await server.kill(fault.seconds)
        case Kind.RESTART_SERVER:
            await server.restart(fault.seconds)
        case Kind.FREEZE_SERVER:
            await server.freeze(fault.seconds)
        case _:
            async with server.without_room():
                await asyncio.sleep(fault.seconds)


async def to_link(stage: Stage, fault: Fault) -> None:
    link = stage.links[fault.target]
    with ExitStack() as broken:
        match fault.kind:
            case Kind.CUT:
                link.cut()
            case Kind.REFUSE:
                broken.enter_context(link.refused())
            case Kind.KILL_WAITING | Kind.STALL:
                broken.enter_context(link.stalled(fault.direction))
            case Kind.HALF_OPEN:
                broken.enter_context(link.half_open(fault.direction))
            case Kind.SLOW:
                broken.enter_context(link.slowed(fault.direction, delay_seconds=fault.amount))
            case _:
                broken.enter_context(link.slowed(fault.direction, bytes_per_second=fault.amount))
        await asyncio.sleep(fault.seconds)
        if fault.kind is Kind.KILL_WAITING:
            await stage.processes[source(fault.target)].kill()


async def to_database(stage: Stage, fault: Fault) -> None:
    database = stage.database
    match fault.kind:
        case Kind.KILL_BACKEND:
            await database.kill_connections_process()
        case Kind.END_BACKENDS:
            await database.end_connections()
        case Kind.NO_CONNECTIONS:
            async with database.without_connections():
                await asyncio.sleep(fault.seconds)
        case Kind.LOCK:
            async with database.locked():
                await asyncio.sleep(fault.seconds)
        case _:
            async with database.read_only():
                await asyncio.sleep(fault.seconds)


async def to_cache(stage: Stage, fault: Fault) -> None:
    cache = stage.cache
    match fault.kind:
        case Kind.SCRIPT_FLUSH:
            await cache.forget_scripts()
        case Kind.FLUSH:
            await cache.flush()
        case Kind.FORGET:
            await cache.forget(fault.amount, fault.seconds)
        case Kind.FAILOVER:
            async with cache.failed_over(fault.amount):
                stage.lead()
                for link in stage.links_to(CACHE):
                    link.cut()
        case Kind.READ_ONLY_CACHE:
            async with cache.read_only():
                await asyncio.sleep(fault.seconds)
        case _:
            async with cache.without_memory():
                await asyncio.sleep(fault.seconds)
