"""Turns at hashing: the one thing here that is dear enough to attack us with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tiebreak.errors import Refusal, Refused

# Less than app servers and gateways wait for an answer: nobody is hashed for who has been given up.
LONGEST_WAIT_SECONDS = 8.0
# By then some of those who wait have had their turn.
BUSY_SECONDS = 2


class HashingTurns:
    """At most `at_once` have their turn, at most `longest_queue` wait for it, in the order they came."""

    def __init__(self, *, at_once: int, longest_queue: int) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._longest_queue = longest_queue
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """A turn, for as long as the context lasts.

        Raises Refused with BUSY, nothing begun: at once if too many wait, or after LONGEST_WAIT_SECONDS.
        """
        if self._turns.locked() and self._waiting >= self._longest_queue:
            raise busy()
        self._waiting += 1
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise busy() from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()


def busy() -> Refused:
    return Refused(Refusal.BUSY, retry_after_seconds=BUSY_SECONDS)
