"""Group commit in the application: what arrives while one batch is carried out forms the next one.

No item waits for others (linger 0): alone it is a batch of one. Under load batches grow by themselves, and one
commit carries them all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import structlog

from tiebreak.errors import Refusal

log = structlog.get_logger()

# Beyond that a batch takes longer and gains nothing (bench/answers).
LARGEST = 256

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class Batches(Generic[Item, Outcome]):
    """Carries out items in the order of their arrival, one batch after the other."""

    def __init__(
        self,
        carry_out: Callable[[Sequence[Item]], Awaitable[Sequence[Outcome]]],
        *,
        longest_queue: int,
        outages: tuple[type[Exception], ...],
        largest: int = LARGEST,
    ) -> None:
        """`carry_out` gives each item's outcome, or raises and has done nothing, or may be repeated all the same.

        `outages` are the exceptions that every other item would meet as well.
        """
        self._carry_out = carry_out
        self._longest_queue = longest_queue
        self._outages = outages
        self._largest = largest
        self._waiting: deque[tuple[Item, asyncio.Future[Outcome]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many items wait, those in the batch under way left out."""
        return len(self._waiting)

    def submit(self, item: Item) -> asyncio.Future[Outcome] | Refusal:
        """The item's outcome, in time; BUSY, and nothing done, if too many wait already.

        The future raises what `carry_out` raised for this item. Who gives up waiting does not stop the item.
        """
        if len(self._waiting) >= self._longest_queue:
            return Refusal.BUSY
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Outcome] = loop.create_future()
        self._waiting.append((item, outcome))
        if self._worker is None:
            self._worker = loop.create_task(self._work())
        return outcome

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._largest))]
                try:
                    outcomes = await self._outcomes([item for item, _ in batch])
                except BaseException:
                    for _, future in batch:
                        future.cancel()
                    raise
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    if future.done():
                        continue
                    if isinstance(outcome, Exception):
                        future.set_exception(outcome)
                    else:
                        future.set_result(outcome)
        finally:
            # In one step with the look at the queue: nobody's item is left without a worker.
            self._worker = None

    async def _outcomes(self, items: Sequence[Item]) -> Sequence[Outcome | Exception]:
        """All at once, once more if that fails, and then each by itself: one item cannot spoil the others."""
        for last in (False, len(items) == 1):
            try:
                return await self._carry_out(items)
            except Exception as error:
                log.warning("batch.failed", items=len(items), error=f"{type(error).__name__}: {error}")
                if last:
                    return [error]
        return await self._one_by_one(items)

    async def _one_by_one(self, items: Sequence[Item]) -> Sequence[Outcome | Exception]:
        outcomes: list[Outcome | Exception] = []
        outage: Exception | None = None
        for item in items:
            if outage is not None:
                outcomes.append(outage)
                continue
            try:
                outcomes += await self._carry_out([item])
            except Exception as error:
                outcomes.append(error)
                if isinstance(error, self._outages):
                    outage = error
        return outcomes
