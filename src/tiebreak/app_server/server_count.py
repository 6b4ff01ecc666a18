"""How many app servers there are: each tells rooms what it knows, so each has to do so less often."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from tiebreak.clock import Clock
from tiebreak.redis_client import OUTAGES, RedisError
from tiebreak.socket_adapter.redis_streams.patience import end_if_cancelled

log = structlog.get_logger()

ASK_SECONDS = 3.0


class ServerCount:
    """As it was ASK_SECONDS ago at most; while Redis is away, as it was before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.known = 1

    async def run(self, ask: Callable[[], Awaitable[int]]) -> None:
        """Ask for ever."""
        while True:
            end_if_cancelled()
            try:
                self.known = max(1, await ask())
            except (*OUTAGES, RedisError) as error:
                log.info("servers.not_counted", error=str(error), known=self.known)
            await self._clock.sleep(ASK_SECONDS)
