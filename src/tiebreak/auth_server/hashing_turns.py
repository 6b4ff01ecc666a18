"""Turns at hashing: the one thing here that is dear enough to attack us with."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tiebreak.errors import Refusal, Refused

# Less than app servers and gateways wait for an answer: nobody is hashed for who has been given up.
LONGEST_WAIT_SECONDS = 8.0
# By then some of those who wait have had their turn.
BUSY_SECONDS = 2


class HashingTurns:
    """At most `at_once` have their turn, at most `longest_queue` wait for it, in the order they came.

    Of those who wait at most half are of one address: it cannot keep all others out.
    """

    def __init__(self, *, at_once: int, longest_queue: int) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._longest_queue = longest_queue
        self._longest_of_one = max(1, longest_queue // 2)
        self._waiting = 0
        self._waiting_of = Counter[str]()

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncGenerator[None]:
        """A turn, for as long as the context lasts.

        Raises Refused with BUSY, nothing begun: at once if too many wait, of all or of this address, or after
        LONGEST_WAIT_SECONDS.
        """
        if self._turns.locked() and (
            self._waiting >= self._longest_queue or self._waiting_of[address] >= self._longest_of_one
        ):
            raise busy()
        self._waiting += 1
        self._waiting_of[address] += 1
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise busy() from None
        finally:
            self._waiting -= 1
            self._waiting_of[address] -= 1
            if not self._waiting_of[address]:
                del self._waiting_of[address]
        try:
            yield
        finally:
            self._turns.release()


def busy() -> Refused:
    return Refused(Refusal.BUSY, retry_after_seconds=BUSY_SECONDS)
