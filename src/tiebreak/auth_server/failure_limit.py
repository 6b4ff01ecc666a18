"""The limit on failed log-ins per address, which must never keep anyone out by failing itself."""

from __future__ import annotations

import asyncio

import structlog

from tiebreak.cache.limits import MissLimit

log = structlog.get_logger()

# A Redis that neither answers nor refuses must not hold a log-in up for longer.
TIMEOUT_SECONDS = 1.0


class FailureLimit:
    """Counts failed log-ins in Redis, shared by all instances; without Redis nobody is limited."""

    def __init__(self, misses: MissLimit | None) -> None:
        self._misses = misses
        if misses is None:
            log.warning("login_limit.off", reason="TIEBREAK_REDIS_URL is not set")

    async def exhausted(self, address: str) -> int | None:
        """Seconds until the address may try again, or None if that is now."""
        if self._misses is None:
            return None
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._misses.exhausted(address)
        except TimeoutError:
            log.warning("login_limit.unavailable", reason="timeout")
            return None

    async def count(self, address: str) -> None:
        """Count a failure."""
        if self._misses is None:
            return
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self._misses.miss(address)
        except TimeoutError:
            log.warning("login_limit.unavailable", reason="timeout")
