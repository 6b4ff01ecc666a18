"""The event bus's server: topics of partitions, and groups that read them, as on Kafka or as on Redis Streams."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Literal, TypeAlias

import msgspec

from simulation.network import Server
from tiebreak.event_bus.bus import Message, Record
from tiebreak.event_bus.streams import partition_of

Manner: TypeAlias = Literal["kafka", "streams"]

# After so long without a word a reader counts as dead.
ALIVE_SECONDS: dict[Manner, float] = {"kafka": 6.0, "streams": 3.0}


class Group(msgspec.Struct):
    """A consumer group of one topic.

    `reached`: on Kafka what was committed, on Redis Streams what was given out; the next offset of each partition.
    `pending`: on Redis Streams what was given out and not committed, and when.
    """

    alive_until: dict[str, float]
    owners: dict[int, str]
    # Raised when a partition gets another reader, or its reader was taken for dead.
    turns: list[int]
    reached: list[int]
    pending: list[dict[int, float]]

    @classmethod
    def of(cls, partitions: int) -> Group:
        return cls({}, {}, [0] * partitions, [0] * partitions, [{} for _ in range(partitions)])


# When it was taken, in Unix ms, and what.
Partition: TypeAlias = list[tuple[int, Message]]


class BusData(msgspec.Struct):
    """All that a bus holds."""

    topics: dict[str, list[Partition]]
    groups: dict[tuple[str, str], Group]

    def copied(self) -> BusData:
        topics = {name: [list(partition) for partition in it] for name, it in self.topics.items()}
        return BusData(topics, deepcopy(self.groups))


class BusServer(Server):
    """One bus. What it has acknowledged it keeps, unless somebody takes its data away."""

    def __init__(self, manner: Manner, partitions: int, now: Callable[[], float]) -> None:
        """`now`: Unix time in seconds."""
        super().__init__("bus")
        self.manner = manner
        self.partitions = partitions
        self.now = now
        self.data = BusData({}, {})
        # Called when something was published.
        self.readers: list[Callable[[], None]] = []
        # Reads that wait in the server for whom has gone, and until when; they come before all others.
        self.blocked: list[tuple[float, Callable[[], object]]] = []

    def succeeded(self, data: BusData) -> BusServer:
        """Another one, that goes on with what it has got."""
        other = BusServer(self.manner, self.partitions, self.now)
        other.data = data
        return other

    def cut_connections(self) -> None:
        super().cut_connections()
        self.blocked.clear()

    def partitions_of(self, topic: str) -> list[Partition]:
        return self.data.topics.setdefault(topic, [[] for _ in range(self.partitions)])

    def group_of(self, topic: str, group: str) -> Group:
        return self.data.groups.setdefault((topic, group), Group.of(self.partitions))

    def append(self, topic: str, message: Message) -> None:
        partition = self.partitions_of(topic)[partition_of(message.key, self.partitions)]
        partition.append((int(self.now() * 1000), message))

    def wake_readers(self) -> None:
        blocked, self.blocked = self.blocked, []
        for until, read in blocked:
            if until > self.now():
                read()
        for wake in self.readers:
            wake()

    def share_out(self, topic: str, group_name: str, reader: str, *, leaves: bool = False) -> dict[int, int]:
        """As assign.lua does, for both manners: the reader's partitions, and the turn that each is in."""
        group, now = self.group_of(topic, group_name), self.now()
        group.alive_until = {it: until for it, until in group.alive_until.items() if until > now}
        if leaves:
            group.alive_until.pop(reader, None)
        else:
            group.alive_until[reader] = now + ALIVE_SECONDS[self.manner]
        live = len(group.alive_until)
        share = 0 if leaves else -(-self.partitions // max(1, live))
        mine: list[int] = []
        for partition in range(self.partitions):
            if group.owners.get(partition) == reader:
                if len(mine) < share:
                    mine.append(partition)
                else:
                    del group.owners[partition]
        for partition in range(self.partitions):
            owner = group.owners.get(partition)
            if len(mine) < share and owner != reader and (owner is None or owner not in group.alive_until):
                group.owners[partition] = reader
                group.turns[partition] += 1
                mine.append(partition)
        return {partition: group.turns[partition] for partition in sorted(mine)}

    def reached(self, topic: str, group_name: str, partition: int) -> int:
        return self.group_of(topic, group_name).reached[partition]

    def offset_at(self, topic: str, partition: int, since_ms: int) -> int:
        """The first one taken at that time or later."""
        return bisect_left(self.partitions_of(topic)[partition], since_ms, key=lambda it: it[0])

    def records(self, topic: str, partition: int, offset: int, limit: int) -> list[Record]:
        found = self.partitions_of(topic)[partition][offset : offset + limit]
        return [Record(topic, partition, str(at), it.key, it.value) for at, (_, it) in enumerate(found, start=offset)]

    # --- Kafka -----------------------------------------------------------------------------------------------------

    def fetch(self, topic: str, positions: Sequence[tuple[int, int]], limit: int) -> list[Record]:
        """From these partitions' offsets on."""
        found: list[Record] = []
        for partition, offset in positions:
            found += self.records(topic, partition, offset, limit - len(found))
        return found

    def commit_offsets(self, topic: str, group_name: str, reader: str, offsets: dict[int, int]) -> None:
        """Whoever has lost the partition changes nothing."""
        group = self.group_of(topic, group_name)
        for partition, offset in offsets.items():
            if group.owners.get(partition) == reader:
                group.reached[partition] = offset

    # --- Redis Streams ---------------------------------------------------------------------------------------------

    def claim(self, topic: str, group_name: str, partition: int, seconds_ago: float) -> list[Record]:
        """What was given out so long ago, and not committed; as if it had been given out now."""
        pending, now = self.group_of(topic, group_name).pending[partition], self.now()
        old = [offset for offset, at in sorted(pending.items()) if now - at >= seconds_ago]
        pending.update(dict.fromkeys(old, now))
        return [record for offset in old for record in self.records(topic, partition, offset, 1)]

    def give_out(self, topic: str, group_name: str, partitions: Sequence[int], limit: int) -> list[Record]:
        group = self.group_of(topic, group_name)
        found: list[Record] = []
        for partition in partitions:
            given = self.records(topic, partition, group.reached[partition], max(1, limit // len(partitions)))
            group.reached[partition] += len(given)
            group.pending[partition].update({int(it.offset): self.now() for it in given})
            found += given
        return found

    def go_back(self, topic: str, group_name: str, partition: int, since_ms: int) -> None:
        group = self.group_of(topic, group_name)
        group.reached[partition] = min(group.reached[partition], self.offset_at(topic, partition, since_ms))

    def acknowledge(self, topic: str, group_name: str, records: Sequence[Record]) -> None:
        """Whoever says so."""
        group = self.group_of(topic, group_name)
        for record in records:
            group.pending[record.partition].pop(int(record.offset), None)
