"""Limits on guessing: only misses count, so a school behind one address is not locked out of its own quiz."""

from __future__ import annotations

import structlog

from tiebreak.cache.keys import misses_key
from tiebreak.redis_client import OUTAGES, Redis, RedisError

log = structlog.get_logger()

WINDOW_SECONDS = 60


class MissLimit:
    """At most `per_minute` misses in a minute from its first one, for each `who`.

    Without Redis nobody is refused: a limit that fails must not close the door on everyone.
    """

    def __init__(self, redis: Redis, *, name: str, per_minute: int) -> None:
        self._redis = redis
        self._name = name
        self._per_minute = per_minute

    async def exhausted(self, who: str) -> int | None:
        """Seconds until `who` may try again, or None if that is now."""
        key = misses_key(self._name, who)
        try:
            misses = int(await self._redis.get(key) or 0)
            if misses < self._per_minute:
                return None
            return max(1, await self._redis.ttl(key))
        except (*OUTAGES, RedisError) as error:
            log.warning("limit.unavailable", limit=self._name, error=str(error))
            return None

    async def miss(self, who: str) -> None:
        """Count one miss."""
        key = misses_key(self._name, who)
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.incr(key)
                pipe.expire(key, WINDOW_SECONDS, nx=True)
                await pipe.execute()
        except (*OUTAGES, RedisError) as error:
            log.warning("limit.unavailable", limit=self._name, error=str(error))
