"""How long a loop does not come round, and how much of that is the garbage collector's."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Any

EVERY_SECONDS = 0.005
LONG_MS = 50.0


class LoopWatch:
    """Asks to be called every 5 ms and notes how much later it is: figures since the last `take`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._gc_begun = 0.0
        self._clear()
        gc.callbacks.append(self._collector)
        self._expect()

    def take(self) -> dict[str, Any]:
        """All times in milliseconds. `cpu` is what this process computed in the longest pause, `gc` what of it was
        collections: where `cpu` is much shorter than `longest`, other processes had the core."""
        gaps = sorted(self._gaps)
        longest = self._longest
        figures = {
            "longest": round(longest[0], 1),
            "cpu": round(longest[1], 1),
            "gc": round(longest[2], 1),
            "longest_cpu": round(self._longest_cpu, 1),
            "p99": round(gaps[len(gaps) * 99 // 100], 1) if gaps else 0.0,
            "over_50": sum(gap > LONG_MS for gap in gaps),
            "collections": {str(generation): self._collections[generation] for generation in range(3)},
            "seconds": round(time.perf_counter() - self._since, 1),
        }
        self._clear()
        return figures

    def _clear(self) -> None:
        self._gaps: list[float] = []
        self._longest = (0.0, 0.0, 0.0)
        self._longest_cpu = 0.0
        # Of each generation: how many, and the longest in milliseconds.
        self._collections: list[list[float]] = [[0, 0.0], [0, 0.0], [0, 0.0]]
        self._gc_ms = 0.0
        self._since = time.perf_counter()

    def _expect(self) -> None:
        self._gc_ms = 0.0
        self._cpu = time.process_time()
        self._expected = time.perf_counter() + EVERY_SECONDS
        self._loop.call_later(EVERY_SECONDS, self._come_round)

    def _come_round(self) -> None:
        gap = (time.perf_counter() - self._expected) * 1e3
        cpu = (time.process_time() - self._cpu) * 1e3
        self._gaps.append(gap)
        self._longest = max(self._longest, (gap, cpu, self._gc_ms))
        # What it computed cannot have blocked the loop for longer than it was blocked.
        self._longest_cpu = max(self._longest_cpu, min(cpu, gap))
        self._expect()

    def _collector(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._gc_begun = time.perf_counter()
            return
        took = (time.perf_counter() - self._gc_begun) * 1e3
        self._gc_ms += took
        collections = self._collections[info["generation"]]
        collections[0] += 1
        collections[1] = round(max(collections[1], took), 1)
