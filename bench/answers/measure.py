"""The measurements, one after the other on one server."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import uvloop

from bench.answers.load import load, quantiles_ms
from bench.answers.pgbench import pgbench
from bench.answers.room import Given, Room, open_room
from bench.answers.ways import Way, in_turn, one_statement, one_statement_per_step, opened, opened_as_it_comes, ours
from bench.cpu_time import Disturbance
from bench.postgres import MeasuredPostgres, measured_postgres
from bench.processes import BenchFailed, say
from bench.rounds import medians, rotated
from bench.section import Figures
from tests.servers import folder
from tiebreak.app_server.batches import AT_ONCE
from tiebreak.embedded.valkey import Valkey
from tiebreak.settings import Settings

STEPS, PLAIN, ONE, OURS, TWICE = "steps", "one_plain", "one", "ours", "ours_twice"
LIMITS = {"pgbench_64": (64, 1), "pgbench_1x64": (1, 64), "pgbench_2x64": (2, 64), "pgbench_2x256": (2, 256)}
CALLERS = 64
# Ours shares the process's pool with all other requests, so it gets the one that is set by default.
OUR_POOL_SIZE = Settings().database_pool_size
# An app server alone in the room: nudge and checkpoint of the last answer are over.
IDLE_SECONDS = 0.02


class Plan(NamedTuple):
    """How long and how often."""

    rounds: int
    seconds: float
    callers: tuple[int, ...]
    callers_seconds: float
    pool_sizes: tuple[int, ...]
    pool_seconds: float
    idle_answers: int


FULL = Plan(3, 4, (1, 8, 256, 1_000), 2, (8, 16, 32, 64), 1, 1_000)
QUICK = Plan(1, 1, (1, 1_000), 0.5, (16, 64), 0.3, 40)


def measure(quick: bool) -> Figures:
    with folder() as directory:
        return uvloop.run(Bench.run(QUICK if quick else FULL, directory))


class Bench:
    """A server, a room, and what is measured with them."""

    def __init__(self, plan: Plan, postgres: MeasuredPostgres, redis_url: str, room: Room, directory: Path) -> None:
        self._plan = plan
        self.postgres = postgres
        self._redis_url = redis_url
        self._room = room
        self._directory = directory
        self._pool_sizes = dict.fromkeys((STEPS, PLAIN, ONE, OURS, TWICE), OUR_POOL_SIZE)

    @classmethod
    @asynccontextmanager
    async def opened(cls, plan: Plan, directory: Path) -> AsyncIterator[Bench]:
        """With servers of its own."""
        async with AsyncExitStack() as closing:
            postgres = await closing.enter_async_context(measured_postgres(directory))
            valkey = Valkey(directory / "valkey", directory, directory / "valkey.log")
            await valkey.start()
            closing.push_async_callback(valkey.stop)
            async with opened(postgres.server.url(), 1) as pool:
                room = await open_room(pool)
            yield cls(plan, postgres, valkey.url(), room, directory)

    @classmethod
    async def run(cls, plan: Plan, directory: Path) -> Figures:
        async with cls.opened(plan, directory) as bench:
            return await bench.measured()

    async def measured(self) -> Figures:
        disturbance = Disturbance((0, 1), lambda: time.process_time() + self.postgres.cpu_seconds())
        await self._choose_pool_sizes()
        figures: Figures = {"pool_sizes": self._pool_sizes}
        figures["ways"] = await self._ways()
        figures["callers"] = await self._callers()
        figures["idle"] = await self._idle()
        figures["disturbance"] = disturbance.share()
        return figures

    @asynccontextmanager
    async def way(self, name: str, pool_size: int = 0) -> AsyncIterator[Way]:
        url, size = self.postgres.server.url(), pool_size or self._pool_sizes[name]
        async with AsyncExitStack() as closing:
            if name == PLAIN:
                yield one_statement(await closing.enter_async_context(opened_as_it_comes(url, size)), self._room)
                return
            if name in (STEPS, ONE):
                pool = await closing.enter_async_context(opened(url, size))
                yield (one_statement_per_step if name == STEPS else one_statement)(pool, self._room)
                return
            servers = []
            for _ in range(2 if name == TWICE else 1):
                pool = await closing.enter_async_context(opened(url, size, hot=AT_ONCE))
                servers.append(await closing.enter_async_context(ours(pool, self._redis_url, self._room)))
            yield servers[0] if name == OURS else in_turn(*servers)

    async def _choose_pool_sizes(self) -> None:
        """Those with which the other ways are fastest."""
        for name in (STEPS, PLAIN, ONE):
            found: dict[int, float] = {}
            for size in self._plan.pool_sizes:
                async with self.way(name, size) as way:
                    figures = await self._loaded(way, CALLERS, self._plan.pool_seconds, logged=False)
                found[size] = figures["per_second"]
            self._pool_sizes[name] = max(found, key=lambda size: found[size])
            say(f"  {name}: {', '.join(f'{size} connections {rate:,.0f}/s' for size, rate in found.items())}")

    async def _loaded(self, way: Way, callers: int, seconds: float, *, logged: bool) -> dict[str, float]:
        found = await load(way, self.answers(), self.postgres, callers=callers, seconds=seconds)
        await self._accounted_for(found.acknowledged, logged=found.acknowledged if logged else 0)
        return found.figures

    def answers(self) -> Iterator[Given]:
        yield from self._room.answers()
        raise BenchFailed("The room has given all its answers: enlarge it (PLAYERS, QUESTIONS) for so fast a machine.")

    async def _accounted_for(self, acknowledged: int, *, logged: int = 0) -> None:
        """As many answers and events as were acknowledged, and our log has ours; then none, and the next pages of
        Postgres's log are new ones for all."""
        watcher = self.postgres.watcher
        answers = await watcher.fetchval("SELECT count(*) FROM participant_answers")
        events = await watcher.fetchval("SELECT count(*) FROM events")
        if not answers == events == acknowledged:
            raise BenchFailed(f"{acknowledged} answers were acknowledged, but {answers} recorded, and {events} events.")
        length = await watcher.fetchval("SELECT coalesce(sum(length), 0)::bigint FROM answer_logs")
        if length != logged:
            raise BenchFailed(f"{logged} answers should be in the log, but it has {length}.")
        await watcher.execute("TRUNCATE participant_answers, events, answer_logs, answer_links")
        await watcher.execute("CHECKPOINT")

    async def _ways(self) -> Figures:
        rounds: list[Figures] = []
        for number in range(self._plan.rounds):
            say(f"  {CALLERS} callers, round {number + 1} of {self._plan.rounds}")
            rounds.append(
                {
                    name: await self._way_or_limit(name)
                    for name in rotated((STEPS, PLAIN, ONE, OURS, TWICE, *LIMITS), number)
                }
            )
        return medians(rounds)

    async def _way_or_limit(self, name: str) -> dict[str, float]:
        if name in LIMITS:
            clients, batch = LIMITS[name]
            count, figures = await pgbench(
                self.postgres, self._room, self._directory, clients=clients, batch=batch, seconds=self._plan.seconds
            )
            await self._accounted_for(count)
        else:
            async with self.way(name) as way:
                figures = await self._loaded(way, CALLERS, self._plan.seconds, logged=name in (OURS, TWICE))
        say(f"    {name:14} {figures['per_second']:8,.0f} answers/s, p50 {figures['p50_ms']:.1f} ms")
        return figures

    async def _callers(self) -> Figures:
        """By number of callers and way."""
        rounds: list[Figures] = []
        for number in range(self._plan.rounds):
            say(f"  {', '.join(map(str, self._plan.callers))} callers, round {number + 1} of {self._plan.rounds}")
            figures: Figures = {}
            for callers in self._plan.callers:
                by_name: Figures = {}
                for name in rotated((ONE, OURS), number):
                    async with self.way(name) as way:
                        by_name[name] = await self._loaded(
                            way, callers, self._plan.callers_seconds, logged=name == OURS
                        )
                figures[str(callers)] = by_name
            rounds.append(figures)
        return medians(rounds)

    async def _idle(self) -> Figures:
        """By (b)'s way: it and ours. Only two take turns: (b)'s two ways have code in common, and would warm it for
        each other."""
        return {name: await self._idle_beside(name) for name in (PLAIN, ONE)}

    async def _idle_beside(self, other: str) -> Figures:
        """One answer at a time, with a pause before it; the ways take turns by chance."""
        say(f"  {self._plan.idle_answers} answers each way, one at a time: {OURS} and {other}")
        seconds: dict[str, list[float]] = {other: [], OURS: []}
        turns = [other, OURS] * (self._plan.idle_answers + 10)
        random.Random(1).shuffle(turns)
        answers = self.answers()
        async with self.way(other) as others, self.way(OURS) as our:
            ways = {other: others, OURS: our}
            for name in turns:
                await asyncio.sleep(IDLE_SECONDS)
                given = next(answers)
                started = time.perf_counter()
                await ways[name](given)
                seconds[name].append(time.perf_counter() - started)
        await self._accounted_for(len(turns), logged=turns.count(OURS))
        # The first ones prepare statements and load questions.
        return {name: quantiles_ms(found[10:]) for name, found in seconds.items()}
