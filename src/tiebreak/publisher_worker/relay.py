"""THE WAY OF AN ANSWER, second part: outbox → bus."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from tiebreak.clock import Clock
from tiebreak.database.outbox import Outbox, WaitingEvent
from tiebreak.database.pool import FAILURES
from tiebreak.errors import Fault
from tiebreak.event_bus.bus import Message, Producer
from tiebreak.events import TOPIC, key_of
from tiebreak.metrics import PublisherMetrics

log = structlog.get_logger()

LEASE_SECONDS = 4.0
RENEW_SECONDS = 1.0
BATCH_SIZE = 500
SHORTEST_WAIT_SECONDS = 0.005
LONGEST_WAIT_SECONDS = 0.1
LONGEST_BACKOFF_SECONDS = 2.0


class EventValue(msgspec.Struct, frozen=True):
    """An event's JSON, its payload taken as it stands in the row (events.ParticipantScoreChange)."""

    id: object
    event_name: str
    type: str
    version: int
    payload: msgspec.Raw


class Relay:
    """Publishes the events of the shards it holds."""

    def __init__(self, outbox: Outbox, producer: Producer, clock: Clock, metrics: PublisherMetrics) -> None:
        self._outbox = outbox
        self._producer = producer
        self._clock = clock
        self._metrics = metrics
        self.stepped_at = clock.monotonic()
        self._leased_at = float("-inf")
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """There is something to publish: do not wait for the next poll."""
        self._nudged.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop` is set.

        Polls every 5 ms while there is work, up to every 100 ms while there is none. A temporary fault, and whatever
        Postgres says, is tried again, later each time; any other one ends the worker: events wait safely where they
        are. Meanwhile nothing goes round, which readiness tells.
        """
        wait = SHORTEST_WAIT_SECONDS
        while not stop.is_set():
            try:
                published = await self.step()
            except (Fault, *FAILURES) as error:
                if isinstance(error, Fault) and not error.temporary:
                    raise
                wait = min(max(wait, LONGEST_WAIT_SECONDS) * 2, LONGEST_BACKOFF_SECONDS)
                log.warning("relay.waiting", error=str(error), retry_seconds=wait)
                await self._clock.sleep(wait)
                continue
            wait = SHORTEST_WAIT_SECONDS if published else min(wait * 2, LONGEST_WAIT_SECONDS)
            if published < BATCH_SIZE:
                await self._rest(wait)
        await self._leave()

    async def step(self) -> int:
        """Renew the leases if it is time, then publish one batch; how many events were published."""
        now = self._clock.monotonic()
        if now - self._leased_at >= RENEW_SECONDS:
            if taken := await self._outbox.lease():
                log.info("relay.shards_taken", taken=len(taken), held=len(self._outbox.leases))
            # The time before the call: the database counts from a moment after it.
            self._leased_at = now
            self._metrics.shards.set(len(self._outbox.leases))
        self.stepped_at = now
        self._nudged.clear()
        if not self._outbox.leases:
            return 0
        events = await self._outbox.waiting(BATCH_SIZE)
        if not events or self._clock.monotonic() - self._leased_at >= LEASE_SECONDS:
            return 0
        acknowledged = await self._producer.publish(TOPIC, [message_of(event) for event in events])
        published = [event for event, taken in zip(events, acknowledged, strict=True) if taken]
        await self._remove(published)
        self._metrics.published.inc(len(published))
        return len(published)

    async def _leave(self) -> None:
        """Let others have our shards at once; without a word of ours they take them when the leases have run out."""
        try:
            await self._outbox.leave()
        except FAILURES as error:
            log.warning("relay.left_unannounced", error=str(error))

    async def _remove(self, published: Sequence[WaitingEvent]) -> None:
        removed = await self._outbox.remove(published)
        if removed < len(published):
            # Another worker took our shards meanwhile; it publishes them again, which does no harm.
            self._metrics.fenced.inc(len(published) - removed)
            log.warning("relay.fenced", published=len(published), removed=removed)
            self._leased_at = float("-inf")

    async def _rest(self, seconds: float) -> None:
        """Wait for a nudge, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._nudged.wait()
        except TimeoutError:
            pass


def message_of(event: WaitingEvent) -> Message:
    """The event as it goes on the bus."""
    value = EventValue(event.id, event.event_name, event.type, 1, msgspec.Raw(event.payload.encode()))
    return Message(key_of(event.quiz_session_id), msgspec.json.encode(value))
