"""Limits on guessing: only misses count, so a school behind one address is not locked out of its own quiz."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

import structlog

from tiebreak.cache.keys import misses_key
from tiebreak.clock import Clock
from tiebreak.redis_client import OUTAGES, Redis, RedisError

log = structlog.get_logger()

WINDOW_SECONDS = 60
# A Redis that neither answers nor refuses must not hold anybody up for longer, nor everybody one after the other.
TIMEOUT_SECONDS = 1.0
REST_SECONDS = 5.0
# In this process, about 10 MB.
MOST_COUNTED = 100_000
# While all together miss too often, each may miss so much less often. It is still enough for a class that mistypes.
UNDER_ATTACK = 3
# No address.
EVERYONE = "everyone"

Found = TypeVar("Found")


class Misses(NamedTuple):
    """Those of the current minute, and how long it goes on."""

    missed: int
    seconds: int


class OwnMisses:
    """What this process has counted in the current minute of the clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._minute = 0
        self._counts: dict[str, int] = {}

    def of(self, who: str) -> Misses:
        now = self._turn()
        return Misses(self._counts.get(who, 0), WINDOW_SECONDS - int(now % WINDOW_SECONDS))

    def add(self, who: str) -> None:
        self._turn()
        if who not in self._counts and len(self._counts) >= MOST_COUNTED:
            del self._counts[next(iter(self._counts))]
        self._counts[who] = self._counts.get(who, 0) + 1

    def _turn(self) -> float:
        now = self._clock.monotonic()
        if (minute := int(now // WINDOW_SECONDS)) != self._minute:
            self._minute = minute
            self._counts.clear()
        return now


class MissLimit:
    """At most `per_minute` misses in a minute from its first one, for each `who`.

    `overall_per_minute` bounds guessing from many addresses: once all together have missed so often, each has a third
    of its misses left. Who has not missed may always try, whatever others do; an address of many people, a school's,
    that misses more often than that third waits sooner than it would by itself, with right ones too.

    Shared by all processes through Redis. Without Redis, or while it does not answer or count, each counts by itself: a
    limit that fails neither closes the door on everyone nor leaves it open.
    """

    def __init__(
        self, redis: Redis | None, clock: Clock, *, name: str, per_minute: int, overall_per_minute: int | None = None
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._name = name
        self._per_minute = per_minute
        self._overall_per_minute = overall_per_minute
        self._own = OwnMisses(clock)
        self._rests_until = float("-inf")

    async def exhausted(self, who: str) -> int | None:
        """Seconds until `who` may try again, or None if that is now."""
        shared = await self._ask(lambda redis: self._read(redis, who))
        own, everyone = self._own.of(who), self._own.of(EVERYONE)
        if shared:
            # A Redis that is full or read-only still answers, and counts nothing.
            own, everyone = max(own, shared[0]), max(everyone, shared[1])
        return self._seconds(own, everyone)

    def exhausted_here(self, who: str) -> int | None:
        """The same by what this process alone has counted, without waiting.

        Of tries sent at once all may have asked before the first miss was counted. Who asks again here, when it knows
        what the try came to, and begins `miss` without waiting in between, lets no more misses pass than one by one.
        """
        return self._seconds(self._own.of(who), self._own.of(EVERYONE))

    def _seconds(self, own: Misses, everyone: Misses) -> int | None:
        may = self._per_minute
        if self._overall_per_minute is not None and everyone.missed >= self._overall_per_minute:
            may = max(1, may // UNDER_ATTACK)
        return None if own.missed < may else max(1, own.seconds)

    async def miss(self, who: str) -> None:
        """Count one miss, in this process before anything is waited for."""
        for counted in (who, EVERYONE):
            self._own.add(counted)
        await self._ask(lambda redis: self._add(redis, who))

    async def _read(self, redis: Redis, who: str) -> tuple[Misses, Misses]:
        async with redis.pipeline(transaction=False) as pipe:
            for counted in (who, EVERYONE):
                key = misses_key(self._name, counted)
                pipe.get(key)
                pipe.ttl(key)
            own, own_seconds, everyone, seconds = await pipe.execute()
        return Misses(int(own or 0), own_seconds), Misses(int(everyone or 0), seconds)

    async def _add(self, redis: Redis, who: str) -> None:
        async with redis.pipeline(transaction=True) as pipe:
            for counted in (who, EVERYONE):
                key = misses_key(self._name, counted)
                pipe.incr(key)
                pipe.expire(key, WINDOW_SECONDS, nx=True)
            await pipe.execute()

    async def _ask(self, ask: Callable[[Redis], Awaitable[Found]]) -> Found | None:
        if self._redis is None or self._clock.monotonic() < self._rests_until:
            return None
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await ask(self._redis)
        except (TimeoutError, *OUTAGES, RedisError) as error:
            log.warning("limit.not_shared", limit=self._name, error=f"{type(error).__name__}: {error}")
            self._rests_until = self._clock.monotonic() + REST_SECONDS
            return None
