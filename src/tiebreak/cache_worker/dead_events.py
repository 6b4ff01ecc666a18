"""`tiebreak dead`: what could not be put on a board, for a person to look at and send again.

The dead-letter topic is read in a consumer group of its own; what is sent again is committed there, so the list shows
what still waits.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tiebreak.clock import Clock
from tiebreak.errors import BusUnavailable
from tiebreak.event_bus.bus import Consumer, EventBus, Message, Record
from tiebreak.events import DEAD_TOPIC, DeadEvent, decode_dead

GROUP = "dead-events"
BATCH_SIZE = 500
# A group on Kafka takes seconds to assemble after a reader of it was killed.
QUIET_SECONDS = 8.0


async def waiting(bus: EventBus, clock: Clock) -> list[DeadEvent]:
    """Every dead event that was not sent again."""
    async with reading(bus) as consumer:
        return [decode_dead(record.value) for record in await read_all(consumer, clock)]


async def send_again(bus: EventBus, clock: Clock) -> int:
    """Publish the dead events anew to where they came from; how many. What was on a board already stays as it is.

    An event that is still wrong dies again. Cut off in the middle, some are sent twice: no harm. Raises BusUnavailable.
    """
    producer = await bus.producer()
    try:
        async with reading(bus) as consumer:
            records = await read_all(consumer, clock)
            for record in records:
                event = decode_dead(record.value)
                if not all(await producer.publish(event.topic, [Message(event.key, event.value)])):
                    raise BusUnavailable("The bus did not take an event; those not sent yet still wait.")
                await consumer.commit([record])
            return len(records)
    finally:
        await producer.close()


@asynccontextmanager
async def reading(bus: EventBus) -> AsyncGenerator[Consumer]:
    consumer = await bus.consumer(DEAD_TOPIC, group=GROUP)
    try:
        yield consumer
    finally:
        await consumer.close()


async def read_all(consumer: Consumer, clock: Clock) -> list[Record]:
    """Everything up to a pause of QUIET_SECONDS, in the order of its death; shorter once something has come."""
    found: list[Record] = []
    quiet_since = clock.monotonic()
    while clock.monotonic() - quiet_since < (1.0 if found else QUIET_SECONDS):
        records = await consumer.poll(limit=BATCH_SIZE, timeout_seconds=0.5)
        if records:
            found += records
            quiet_since = clock.monotonic()
    return sorted(found, key=lambda record: decode_dead(record.value).died_at_ms)
