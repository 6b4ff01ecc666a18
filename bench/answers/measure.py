"""The measurements, one after the other on one server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import uvloop

from bench.answers.idle import NOT_COUNTED, answer_alone
from bench.answers.load import load, quantiles_ms
from bench.answers.pgbench import pgbench
from bench.answers.room import Given, Room, open_room
from bench.answers.ways import ONE, OURS, PLAIN, STEPS, TWICE, Place, Way, opened, opened_way
from bench.cpu_time import Disturbance, children_seconds
from bench.postgres import MeasuredPostgres, measured_postgres
from bench.processes import BenchFailed, say
from bench.rounds import medians, rotated
from bench.section import Figures
from tests.servers import folder
from tiebreak.embedded.valkey import Valkey
from tiebreak.settings import Settings

LIMITS = {"pgbench_64": (64, 1), "pgbench_1x64": (1, 64), "pgbench_2x64": (2, 64), "pgbench_2x256": (2, 256)}
CALLERS = 64
# Ours shares the process's pool with all other requests, so it gets the one that is set by default.
OUR_POOL_SIZE = Settings().database_pool_size


class Plan(NamedTuple):
    """How long and how often."""

    rounds: int
    seconds: float
    callers: tuple[int, ...]
    callers_seconds: float
    pool_sizes: tuple[int, ...]
    pool_seconds: float
    idle: tuple[int, int]


FULL = Plan(3, 4, (1, 8, 256, 1_000), 2, (8, 16, 32, 64), 1, (6, 200))
QUICK = Plan(1, 1, (1, 1_000), 0.5, (16, 64), 0.3, (1, 20))


def measure(quick: bool) -> Figures:
    with folder() as directory:
        return uvloop.run(Bench.run(QUICK if quick else FULL, directory))


class Bench:
    """A server, a room, and what is measured with them."""

    def __init__(self, plan: Plan, postgres: MeasuredPostgres, redis_url: str, room: Room, directory: Path) -> None:
        self._plan = plan
        self.postgres = postgres
        self._room = room
        self._place = Place(postgres.server.url(), redis_url, room)
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
        disturbance = Disturbance(
            (0, 1), lambda: time.process_time() + children_seconds() + self.postgres.cpu_seconds()
        )
        await self._choose_pool_sizes()
        figures: Figures = {"pool_sizes": self._pool_sizes}
        figures["ways"] = await self._ways()
        figures["callers"] = await self._callers()
        figures["idle"] = await self._idle()
        figures["disturbance"] = disturbance.share()
        return figures

    def way(self, name: str, pool_size: int = 0) -> AbstractAsyncContextManager[Way]:
        return opened_way(name, self._place, pool_size or self._pool_sizes[name])

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
        """By (b)'s way: it and ours."""
        figures: Figures = {}
        for other in (PLAIN, ONE):
            rounds, answers = self._plan.idle
            sizes = {name: self._pool_sizes[name] for name in (other, OURS)}
            say(f"  one answer at a time, {OURS} and {other}: {rounds} rounds of {answers} answers each way")
            found = await answer_alone(self._place, sizes, rounds=rounds, answers=answers)
            given = rounds * (answers + NOT_COUNTED)
            await self._accounted_for(2 * given, logged=given)
            figures[other] = {name: quantiles_ms(seconds) for name, seconds in found.items()}
        return figures
