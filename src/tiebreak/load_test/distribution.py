"""Percentiles of any number of durations in constant memory."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

# Durations that share a bucket differ by at most this; the percentiles are as exact.
GROWTH = 1.01
SMALLEST_SECONDS = 1e-5
_LOG_GROWTH = math.log(GROWTH)


class Figures(msgspec.Struct, frozen=True):
    """What a distribution says; milliseconds, None where nothing was measured."""

    count: int
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None


class Distribution:
    """A histogram with buckets that grow by a hundredth each (as HdrHistogram's do)."""

    __slots__ = ("_buckets", "_max", "count")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self._max = 0.0
        self.count = 0

    def add(self, seconds: float) -> None:
        """One more duration; one below SMALLEST_SECONDS counts as that long."""
        number = math.ceil(math.log(seconds / SMALLEST_SECONDS) / _LOG_GROWTH) if seconds > SMALLEST_SECONDS else 0
        self._buckets[number] = self._buckets.get(number, 0) + 1
        self.count += 1
        if seconds > self._max:  # noqa: PLR1730 - called for every player and answer: max() takes twice as long
            self._max = seconds

    def extend(self, durations: Iterable[float]) -> None:
        """Many more."""
        for seconds in durations:
            self.add(seconds)

    def percentile(self, percent: float) -> float | None:
        """The duration that so many percent do not exceed (nearest rank), or up to a hundredth more."""
        if not self.count:
            return None
        rank = max(1, math.ceil(self.count * percent / 100))
        for number in sorted(self._buckets):
            rank -= self._buckets[number]
            if rank <= 0:
                return min(SMALLEST_SECONDS * GROWTH**number, self._max)
        return self._max

    def figures(self) -> Figures:
        """The ones to report."""
        longest = self._max if self.count else None
        return Figures(
            self.count, milliseconds(self.percentile(50)), milliseconds(self.percentile(99)), milliseconds(longest)
        )


def milliseconds(seconds: float | None) -> float | None:
    """To a hundredth of one."""
    return None if seconds is None else round(seconds * 1000, 2)
