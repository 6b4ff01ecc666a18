"""Which Redis we talk to: one that was emptied, restarted or failed over to is another one, and may have forgotten what
it acknowledged.
"""

from __future__ import annotations

import msgspec

from tiebreak.cache.keys import INCARNATION
from tiebreak.cache.leaderboard import lua
from tiebreak.redis_client import Redis, Script


class Incarnation(msgspec.Struct, frozen=True):
    """`since_ms`, `now_ms`: by Redis's clock, when somebody first saw it, and now."""

    id: str
    since_ms: int
    now_ms: int


class Incarnations:
    """Asks Redis who it is."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._script = Script(lua("life.lua", "incarnation.lua"))

    async def current(self) -> Incarnation:
        """The one that answers. Of two that differ in `id`, the later one may lack what the earlier one took."""
        found, since_ms, now_ms = await self._script.call(self._redis, [INCARNATION], [])
        return Incarnation(found.decode(), int(since_ms), int(now_ms))
