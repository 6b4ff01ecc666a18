"""Callers that answer without a pause, and what they find."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bench.answers.room import Given
from bench.answers.ways import Way
from bench.postgres import Cost, MeasuredPostgres

WARM_SECONDS = 0.5


class Load(NamedTuple):
    """`acknowledged` in all; the other figures are of the time after the warm-up."""

    acknowledged: int
    figures: dict[str, float]


async def load(way: Way, answers: Iterator[Given], postgres: MeasuredPostgres, *, callers: int, seconds: float) -> Load:
    """So many callers, each with one answer under way at a time."""
    latencies = array("d")
    acknowledged = finished = 0
    start = time.perf_counter() + WARM_SECONDS
    end = start + seconds

    async def call() -> None:
        nonlocal acknowledged, finished
        while (called := time.perf_counter()) < end:
            await way(next(answers))
            done = time.perf_counter()
            acknowledged += 1
            if start <= done <= end:
                finished += 1
                latencies.append(done - called)

    calls = [asyncio.create_task(call()) for _ in range(callers)]
    await asyncio.sleep(start - time.perf_counter())
    before, python = await postgres.cost(), time.process_time()
    began = time.perf_counter()
    await asyncio.sleep(end - time.perf_counter())
    python, cost = time.process_time() - python, await postgres.cost() - before
    elapsed = time.perf_counter() - began
    await asyncio.gather(*calls)
    return Load(acknowledged, figures_of(latencies, finished, seconds, elapsed, python, cost))


def figures_of(
    latencies: Sequence[float], count: int, seconds: float, elapsed: float, client_seconds: float, postgres: Cost
) -> dict[str, float]:
    """Per second, per answer, and shares of a core. Costs are of `elapsed` seconds, a little more than `seconds`."""
    per_second = count / seconds
    during = per_second * elapsed
    return {
        "per_second": per_second,
        **quantiles_ms(latencies),
        "client_us": client_seconds / during * 1e6,
        "postgres_us": postgres.cpu_seconds / during * 1e6,
        "client_share": client_seconds / elapsed,
        "postgres_share": postgres.cpu_seconds / elapsed,
        "syncs_per_second": postgres.syncs / elapsed,
        "sync_share": postgres.sync_seconds / elapsed,
    }


def quantiles_ms(seconds: Sequence[float]) -> dict[str, float]:
    """The middle, the slowest hundredth, the slowest."""
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return {
        "p50_ms": ordered[last // 2] * 1e3,
        "p99_ms": ordered[round(last * 0.99)] * 1e3,
        "max_ms": ordered[last] * 1e3,
    }
