"""Group commit in the application: what arrives while batches are carried out forms the next one.

No item waits for others (linger 0): alone it is a batch of one. Under load batches grow by themselves, and one
commit carries them all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from functools import partial
from typing import Generic, TypeAlias, TypeVar

import structlog

from tiebreak.clock import Clock
from tiebreak.errors import Refusal

log = structlog.get_logger()

# Beyond that a batch takes longer and gains nothing (bench/answers).
LARGEST = 256
# While the store works on one, the next one is prepared.
AT_ONCE = 2
# Whoever has waited so long for the store to begin is better told to come back: clients send again after ten seconds of
# silence, and gateways give up after fifteen. Five leave the store that long for what it has begun.
LONGEST_WAIT_SECONDS = 5.0

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
Settle: TypeAlias = Callable[[Outcome | Refusal | Exception], None]


class Batches(Generic[Item, Outcome]):
    """Carries out items in the order of their arrival, a batch at a time or two."""

    def __init__(
        self,
        carry_out: Callable[[Sequence[Item]], Awaitable[Sequence[Outcome]]],
        clock: Clock,
        *,
        longest_queue: int,
        outages: tuple[type[Exception], ...],
        largest: int = LARGEST,
        at_once: int = AT_ONCE,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
        on_given_up: Callable[[], object] = lambda: None,
        on_settled: Callable[[Sequence[float]], object] = lambda _: None,
    ) -> None:
        """`carry_out` gives each item's outcome, or raises and has done nothing, or may be repeated all the same.

        `outages` are the exceptions that every other item would meet as well. `on_given_up` is called for each item
        that has waited for `longest_wait_seconds` and was given up; `on_settled` is told, a turn of the loop after a
        batch's outcomes were, how many seconds each of them took from its item's arrival.
        """
        self._carry_out = carry_out
        self._longest_queue = longest_queue
        self._outages = outages
        self._largest = largest
        self._longest_wait_seconds = longest_wait_seconds
        self._on_given_up = on_given_up
        self._on_settled = on_settled
        self._monotonic = clock.monotonic
        # With the moment each came.
        self._waiting: deque[tuple[Item, Settle[Outcome], float]] = deque()
        self._patience: asyncio.TimerHandle | None = None
        # Python 3.11 asks the kernel who it is each time somebody asks for the running loop.
        self._loop: asyncio.AbstractEventLoop | None = None
        # Workers that could be started, and batches that could be carried out beside those under way.
        self._unused = self._free = at_once
        self._workers: set[asyncio.Task[None] | None] = set()
        # Theirs, and not that of whoever came first: they carry the items of many.
        self._context = Context()

    def __len__(self) -> int:
        """How many items wait, those in the batches under way left out."""
        return len(self._waiting)

    def submit(self, item: Item, settle: Settle[Outcome]) -> Refusal | None:
        """Have the item carried out; `settle` is told what became of it. BUSY, and nothing done, if too many wait.

        `settle` gets the outcome, or what `carry_out` raised for this item, once, after this has returned; or BUSY,
        if it has waited too long: then it was not begun and never will be.
        """
        if len(self._waiting) >= self._longest_queue:
            return Refusal.BUSY
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        self._waiting.append((item, settle, self._monotonic()))
        if self._patience is None:
            self._patience = loop.call_later(self._longest_wait_seconds, self._give_up)
        if self._unused:
            self._unused -= 1
            self._workers.add(loop.create_task(self._work(loop), context=self._context))
        return None

    async def outcome_of(self, item: Item) -> Outcome | Refusal:
        """The same, and wait for it. Who gives up waiting does not stop the item. Raises what `carry_out` raised."""
        outcome: asyncio.Future[Outcome | Refusal] = asyncio.get_running_loop().create_future()
        return self.submit(item, partial(settle_future, outcome)) or await outcome

    async def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        popleft = self._waiting.popleft
        try:
            while self._waiting:
                # Shared among those that are free: two halves are sooner through than one whole.
                share = -(-len(self._waiting) // self._free)
                batch = [popleft() for _ in range(min(share, self._largest))]
                items = [item for item, _, _ in batch]
                self._free -= 1
                outcomes: Sequence[Outcome | Exception]
                try:
                    outcomes = await self._carry_out(items)
                except Exception as error:
                    outcomes = await self._outcomes_after(error, items)
                finally:
                    self._free += 1
                for (_, settle, _), outcome in zip(batch, outcomes, strict=True):
                    # As told() does it, without a call for each.
                    try:
                        settle(outcome)
                    except Exception as error:
                        log.error("batch.outcome_lost", exc_info=error)
                loop.call_soon(self._report, batch, self._monotonic())
        finally:
            # In one step with the look at the queue: nobody's item is left without a worker.
            self._unused += 1
            self._workers.discard(asyncio.current_task(loop))

    def _report(self, batch: Sequence[tuple[Item, Settle[Outcome], float]], now: float) -> None:
        self._on_settled([now - came for _, _, came in batch])

    def _give_up(self) -> None:
        """Refuse who has waited too long; look again when the next one will have."""
        loop = asyncio.get_running_loop()
        came_before = self._monotonic() - self._longest_wait_seconds
        given_up = 0
        while self._waiting and self._waiting[0][2] <= came_before:
            _, settle, _ = self._waiting.popleft()
            given_up += 1
            self._on_given_up()
            told(settle, Refusal.BUSY)
        if given_up:
            log.warning("batch.given_up", items=given_up)
        self._patience = loop.call_later(self._waiting[0][2] - came_before, self._give_up) if self._waiting else None

    async def _outcomes_after(self, error: Exception, items: Sequence[Item]) -> Sequence[Outcome | Exception]:
        """Of a batch that has failed: once more, and then each by itself, so that no item spoils the others.

        Not so where the store hangs: to wait as long again, for each of them, would help nobody.
        """
        log_failure(error, items)
        if isinstance(error, TimeoutError):
            return [error] * len(items)
        try:
            return await self._carry_out(items)
        except Exception as again:
            log_failure(again, items)
            if isinstance(again, TimeoutError) or len(items) == 1:
                return [again] * len(items)
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


def log_failure(error: Exception, items: Sequence[object]) -> None:
    log.warning("batch.failed", items=len(items), error=f"{type(error).__name__}: {error}")


def told(settle: Settle[Outcome], outcome: Outcome | Refusal | Exception) -> None:
    """Tell one of many its outcome: the others still wait for theirs."""
    try:
        settle(outcome)
    except Exception as error:
        log.error("batch.outcome_lost", exc_info=error)


def settle_future(future: asyncio.Future[Outcome | Refusal], outcome: Outcome | Refusal | Exception) -> None:
    """For who waits, or has given up waiting."""
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
