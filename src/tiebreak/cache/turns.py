"""Work that one of many processes does now and then."""

from __future__ import annotations

from tiebreak.cache.keys import turn_key
from tiebreak.redis_client import Redis


class Turns:
    """Gives each turn to whoever asks first."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def take(self, name: str, *, seconds: int) -> bool:
        """Whether it is the caller's turn; the next one comes so much later."""
        return bool(await self._redis.set(turn_key(name), "taken", nx=True, ex=seconds))

    async def end(self, name: str) -> None:
        """The next turn is anybody's at once."""
        await self._redis.delete(turn_key(name))
