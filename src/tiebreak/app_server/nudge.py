"""Wakes the publisher workers after answers: soon after the commit, and outside its transaction."""

from __future__ import annotations

import asyncio

import structlog

from tiebreak.clock import Clock
from tiebreak.database.outbox import nudge_publishers
from tiebreak.database.pool import FAILURES, Pool

log = structlog.get_logger()

REST_SECONDS = 0.01


class Nudge:
    """One notification for all the answers of a hundredth of a second. A lost one costs a poll's interval."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._answered = asyncio.Event()

    def answered(self) -> None:
        """An answer was committed."""
        self._answered.set()

    async def run(self) -> None:
        """Nudge for ever."""
        while True:
            await self._answered.wait()
            self._answered.clear()
            try:
                await nudge_publishers(self._pool)
            except FAILURES as error:
                log.info("nudge.lost", error=str(error))
            await self._clock.sleep(REST_SECONDS)
