"""How busy the load test itself is: figures of a generator that is at its limit say nothing of the system."""

from __future__ import annotations

import asyncio
import time

import msgspec

from tiebreak.load_test.distribution import Distribution, milliseconds

LOOK_EVERY_SECONDS = 0.05
BUSY_SHARE = 0.9
# A burst may fill the core for less than a second of five: the share does not show it, the lag does.
BUSY_LAG_P99_MS = 50.0


class GeneratorFigures(msgspec.Struct, frozen=True):
    """`core_share` is the part of one core that was used; the lag is how late its loop was."""

    core_share: float
    loop_lag_p99_ms: float | None
    loop_lag_max_ms: float | None

    @property
    def was_busy(self) -> bool:
        """Whether it was, perhaps, the bottleneck itself."""
        return self.core_share > BUSY_SHARE or (self.loop_lag_p99_ms or 0.0) > BUSY_LAG_P99_MS


class Generator:
    """Watches this process from `start` to `stop`."""

    def __init__(self) -> None:
        self._lag = Distribution()
        self._watching: asyncio.Task[None] | None = None
        self._began = self._ended = (0.0, 0.0)

    def start(self) -> None:
        self._began = (time.perf_counter(), time.process_time())
        self._watching = asyncio.create_task(self._watch())

    def stop(self) -> None:
        if self._watching:
            self._watching.cancel()
            self._watching = None
            self._ended = (time.perf_counter(), time.process_time())

    def figures(self) -> GeneratorFigures:
        seconds, cpu_seconds = (end - begin for begin, end in zip(self._began, self._ended, strict=True))
        share = cpu_seconds / seconds if seconds > 0 else 0.0
        longest = self._lag.percentile(100)
        return GeneratorFigures(round(share, 3), milliseconds(self._lag.percentile(99)), milliseconds(longest))

    async def _watch(self) -> None:
        while True:
            due = time.perf_counter() + LOOK_EVERY_SECONDS
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            self._lag.add(max(0.0, time.perf_counter() - due))
