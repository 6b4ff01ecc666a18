"""What every event bus does; streams.py and kafka.py are held to it by one suite in tests/contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from tiebreak.event_bus.topics import TOPICS, Topic

GO_BACK_SECONDS = 600.0


class Message(msgspec.Struct, frozen=True):
    """To be published. Messages of one key keep their order."""

    key: bytes
    value: bytes


class Record(msgspec.Struct, frozen=True):
    """A message as read. `offset` means something to its bus and partition only."""

    topic: str
    partition: int
    offset: str
    key: bytes
    value: bytes


class Producer(Protocol):
    """Appends to a topic."""

    async def publish(self, topic: str, messages: Sequence[Message]) -> list[bool]:
        """Append in order; for each message whether the bus acknowledged it.

        What was not acknowledged may still have been taken: publish it again. Raises BusUnavailable if none was.
        """
        ...

    async def close(self) -> None:
        """Give the connection back."""
        ...


class Consumer(Protocol):
    """One reader of a consumer group."""

    async def poll(self, *, limit: int, timeout_seconds: float) -> list[Record]:
        """Up to `limit` records of the partitions assigned to this reader; waits at most `timeout_seconds`.

        Has to be called every few seconds: a reader that does not loses its partitions. Raises BusUnavailable.
        """
        ...

    async def commit(self, records: Sequence[Record]) -> None:
        """These, and those before them in their partitions, need not be given again. Raises BusUnavailable."""
        ...

    def go_back(self, since_ms: int) -> None:
        """From the next poll on, give again what the bus took since then (Unix ms), committed or not, in its order.

        In this reader's partitions, and in those it is assigned within GO_BACK_SECONDS: their reader before may have
        gone without going back. Never forward: what waits to be read may be older.
        """
        ...

    async def close(self) -> None:
        """Leave the group, so that others take over at once."""
        ...


class EventBus(Protocol):
    """A way to make producers and consumers."""

    async def create_topics(self, topics: Sequence[Topic] = TOPICS) -> None:
        """Make the topics that are missing. May be repeated, and called by several at once. Raises BusUnavailable."""
        ...

    async def ping(self) -> None:
        """Raises BusUnavailable if the bus does not answer."""
        ...

    async def producer(self) -> Producer: ...

    async def consumer(self, topic: str, *, group: str) -> Consumer:
        """A reader that begins, where its group has committed nothing yet, with the oldest record kept."""
        ...
