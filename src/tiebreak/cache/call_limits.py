"""Limits on calls, at no cost to a call: counted in the process, shared in the background.

A call costs a look into a dictionary. Who has used up an eighth of a limit here is told to the other processes through
Redis, twice a second, all of them in one round trip; others could not exceed it but on nine processes at once. While
Redis is away each process counts by itself, and nobody is refused because of that. What a process has counted when
it ends is forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib.resources import files

import structlog

from tiebreak.cache.keys import calls_key
from tiebreak.clock import Clock
from tiebreak.errors import Refusal, Refused
from tiebreak.redis_client import OUTAGES, Redis, RedisError, Script, ScriptCall

log = structlog.get_logger()

MINUTE_MS = 60_000
SHARED_FROM_SHARE = 8
SHARE_EVERY_SECONDS = 0.5
TIMEOUT_SECONDS = 1.0
# A minute's counts, and the clocks of other machines.
KEPT_SECONDS = 180
# One call of the script: what is more waits for the next round.
MOST_TOLD = 500

# An address, or a user's id as a number: hashing a UUID costs more than all the rest.
Who = str | int
News = list[tuple[Who, int]]


class CallLimit:
    """At most `per_minute` calls in a minute of the clock by each `who`."""

    def __init__(self, clock: Clock, *, name: str, per_minute: int) -> None:
        self.name = name
        self.minute = clock.now_ms() // MINUTE_MS
        self._clock = clock
        self._per_minute = per_minute
        self._looked_at_from = per_minute // SHARED_FROM_SHARE
        self._counts: dict[Who, int] = {}
        # How much of a count is in Redis, for those who are shared; and who of them has called since.
        self._told: dict[Who, int] = {}
        self._untold: set[Who] = set()

    def count(self, who: Who) -> None:
        """Count a call. Raises Refused if it is one too many."""
        self._counts[who] = count = self._counts.get(who, 0) + 1
        if count > self._looked_at_from:
            self._look_at(who, count)

    def turn(self) -> None:
        """Begin the minute anew, if it is over."""
        if (minute := self._clock.now_ms() // MINUTE_MS) != self.minute:
            self.minute = minute
            self._counts, self._told, self._untold = {}, {}, set()

    def news(self) -> News:
        """Who has called since this was asked last, and how often."""
        found: News = []
        while self._untold and len(found) < MOST_TOLD:
            who = self._untold.pop()
            count = self._counts[who]
            found.append((who, count - self._told.get(who, 0)))
            # Also if Redis does not take it: better too few calls counted than one twice.
            self._told[who] = count
        return found

    def hear(self, news: News, totals: Sequence[int]) -> None:
        """What all processes together have counted, of those who were in the news."""
        for (who, _), total in zip(news, totals, strict=True):
            if others := total - self._told.get(who, total):
                self._counts[who] += others
                self._told[who] += others

    def _look_at(self, who: Who, count: int) -> None:
        # Not left to the background alone: without it, nobody could ever call again.
        before = self.minute
        self.turn()
        if self.minute != before:
            self._counts[who] = 1
            return
        self._untold.add(who)
        if count > self._per_minute:
            seconds = 60 - self._clock.now_ms() // 1000 % 60
            raise Refused(Refusal.TOO_MANY_TRIES, retry_after_seconds=seconds)


class CallLimits:
    """The limits of one process, and what it tells the others and hears of them."""

    def __init__(self, redis: Redis | None, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._limits: list[CallLimit] = []
        self._script = Script(files("tiebreak.cache").joinpath("count_calls.lua").read_text(encoding="utf-8"))

    def limit(self, name: str, per_minute: int) -> CallLimit:
        """One more; the same in all processes that have one of this name."""
        limit = CallLimit(self._clock, name=name, per_minute=per_minute)
        self._limits.append(limit)
        return limit

    async def run(self) -> None:
        """Tell and hear, for ever."""
        answered = True
        while True:
            await self._clock.sleep(SHARE_EVERY_SECONDS)
            try:
                await self.share()
            except (TimeoutError, *OUTAGES, RedisError) as error:
                if answered:
                    log.warning("limits.not_shared", error=f"{type(error).__name__}: {error}")
                answered = False
            else:
                answered = True

    async def share(self) -> None:
        """One round. Raises what Redis raises; calls that were not told then are counted here only."""
        for limit in self._limits:
            limit.turn()
        told = [(limit, limit.minute, news) for limit in self._limits if (news := limit.news())]
        if self._redis is None or not told:
            return
        calls = [ScriptCall([calls_key(limit.name, minute)], arguments_of(news)) for limit, minute, news in told]
        async with asyncio.timeout(TIMEOUT_SECONDS):
            replies = await self._script.call_all(self._redis, calls)
        for (limit, minute, news), totals in zip(told, replies, strict=True):
            if isinstance(totals, Exception):
                raise totals
            if limit.minute == minute:
                limit.hear(news, totals)


def arguments_of(news: News) -> list[str | int]:
    arguments: list[str | int] = [KEPT_SECONDS]
    for who, calls in news:
        arguments += (str(who), calls)
    return arguments
