"""Many schedules, one after the other."""

from __future__ import annotations

import gc
import logging
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

import structlog

from simulation.schedule import Result, Schedule

# Schedules leave cycles behind: tasks, frames, futures.
COLLECT_EVERY = 50


class Batch:
    """What came of them."""

    def __init__(self) -> None:
        self.schedules = 0
        self.answers = 0
        self.virtual_seconds = 0.0
        self.faults: Counter[str] = Counter()
        self.broken: list[Result] = []
        self._cpu_seconds = 0.0

    def run(self, seed: int) -> Result:
        """One more."""
        began = time.process_time()
        result = Schedule(seed).run()
        self.schedules += 1
        if self.schedules % COLLECT_EVERY == 0:
            gc.collect()
        self._cpu_seconds += time.process_time() - began
        self.answers += result.answers
        self.virtual_seconds += result.virtual_seconds
        self.faults += result.faults
        if result.violations:
            self.broken.append(result)
        return result

    def per_minute(self) -> float:
        """Of CPU time: what one core would do that does nothing else."""
        return 60 * self.schedules / max(self._cpu_seconds, 1e-9)


@contextmanager
def silent() -> Generator[None]:
    """No logs of the product: the history says more. No garbage collection but ours: it takes a fifth of the time."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        structlog.configure(**before)
