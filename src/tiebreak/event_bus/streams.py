"""The event bus on Redis Streams: what `tiebreak up` runs on.

A topic of n partitions is n streams, and a partition is chosen by the key's CRC-32. Redis alone would deal a
stream's entries out to all readers of a group and lose their order; assign.lua gives each partition to one
reader, which first claims what the reader before it had not acknowledged.

key                          type        holds
bus:{topic:n}                stream      fields key, value; trimmed by age
bus:members:{topic:group}    sorted set  reader → alive until (ms)
bus:owners:{topic:group}     hash        partition → reader
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, cast
from uuid import uuid4

import structlog
from redis.exceptions import ResponseError

from tiebreak.errors import BusUnavailable
from tiebreak.event_bus.bus import GO_BACK_SECONDS, Message, Record
from tiebreak.event_bus.topics import TOPICS, Topic
from tiebreak.redis_client import Redis, RedisError, StreamReply

log = structlog.get_logger()

ALIVE_SECONDS = 3.0
# How often a reader looks for entries that it was given and never got: Redis may carry out a lost connection's read
# after the reader has claimed, on another one, what it was given until then.
SWEEP_SECONDS = 10.0
ASSIGN_SECONDS = 1.0


def stream_of(topic: str, partition: int) -> str:
    return f"bus:{{{topic}:{partition}}}"


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key: the same for every producer, now and later."""
    return zlib.crc32(key) % partitions


@asynccontextmanager
async def bus_errors() -> AsyncGenerator[None]:
    """An error of Redis, as the bus's own."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise BusUnavailable(f"Redis does not answer as event bus: {error}") from error


class StreamsBus:
    """Makes producers and consumers on one Redis."""

    def __init__(self, redis: Redis, *, partitions: int, retention_hours: int) -> None:
        self._redis = redis
        self._partitions = partitions
        self._retention_ms = retention_hours * 3_600_000

    async def create_topics(self, topics: Sequence[Topic] = TOPICS) -> None:
        """Nothing to do: a stream is there as soon as something is written to it."""

    async def ping(self) -> None:
        async with bus_errors():
            await self._redis.ping()

    async def producer(self) -> StreamsProducer:
        return StreamsProducer(self._redis, self._partitions, self._retention_ms)

    async def consumer(self, topic: str, *, group: str) -> StreamsConsumer:
        consumer = StreamsConsumer(self._redis, topic, group, self._partitions)
        async with bus_errors():
            await consumer.create_groups()
        return consumer


class StreamsProducer:
    """Appends with XADD, a batch in one round trip."""

    def __init__(self, redis: Redis, partitions: int, retention_ms: int) -> None:
        self._redis = redis
        self._partitions = partitions
        self._retention_ms = retention_ms

    async def publish(self, topic: str, messages: Sequence[Message]) -> list[bool]:
        oldest_kept = time.time_ns() // 1_000_000 - self._retention_ms
        async with bus_errors(), self._redis.pipeline(transaction=False) as pipe:
            for message in messages:
                pipe.xadd(
                    stream_of(topic, partition_of(message.key, self._partitions)),
                    {"key": message.key, "value": message.value},
                    minid=oldest_kept,
                    approximate=True,
                )
            replies = await pipe.execute(raise_on_error=False)
        refused = [reply for reply in replies if isinstance(reply, Exception)]
        if refused and len(refused) == len(replies):
            raise BusUnavailable(f"Redis does not take events: {refused[0]}") from refused[0]
        return [not isinstance(reply, Exception) for reply in replies]

    async def close(self) -> None:
        """Nothing to give back: the client belongs to the process."""


class StreamsConsumer:
    """One reader of a group. Not to be shared between tasks."""

    def __init__(self, redis: Redis, topic: str, group: str, partitions: int) -> None:
        self._redis = redis
        self._topic = topic
        self._group = group
        self._partitions = partitions
        self._name = str(uuid4())
        self._assign = redis.register_script(
            files("tiebreak.event_bus").joinpath("assign.lua").read_text(encoding="utf-8")
        )
        self._assigned: frozenset[int] = frozenset()
        self._assigned_at = float("-inf")
        self._to_claim: dict[int, str] = {}
        # Entries that were given so long ago are claimed: none is too young, but in a sweep.
        self._claimed_after_ms = 0
        self._swept_at = time.monotonic()
        self._back_to_ms = 0
        self._back_until = float("-inf")
        self._to_go_back: set[int] = set()

    async def create_groups(self) -> None:
        """Make the streams and the group where they are missing; it begins with the oldest entry kept."""
        for partition in range(self._partitions):
            try:
                await self._redis.xgroup_create(stream_of(self._topic, partition), self._group, id="0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def poll(self, *, limit: int, timeout_seconds: float) -> list[Record]:
        try:
            return await self._poll(limit, timeout_seconds)
        except BusUnavailable:
            # The reply may be lost with the records in it: they are claimed again, as after a crash.
            self._to_claim, self._claimed_after_ms = dict.fromkeys(self._assigned, "0-0"), 0
            raise

    async def _poll(self, limit: int, timeout_seconds: float) -> list[Record]:
        async with bus_errors():
            if time.monotonic() - self._assigned_at >= ASSIGN_SECONDS:
                await self._share_out()
            try:
                if self._to_go_back:
                    await self._go_back()
                if not self._to_claim and time.monotonic() - self._swept_at >= SWEEP_SECONDS:
                    self._swept_at = time.monotonic()
                    self._to_claim = dict.fromkeys(self._assigned, "0-0")
                    self._claimed_after_ms = int(SWEEP_SECONDS * 1000)
                if self._to_claim:
                    return await self._claim(limit)
                return await self._read(limit, timeout_seconds)
            except ResponseError as error:
                if not str(error).startswith(("NOGROUP", "ERR no such key")):
                    raise
                # Redis lost its data. The group begins anew with whatever the streams will hold.
                log.warning("bus.groups_recreated", topic=self._topic, group=self._group)
                await self.create_groups()
                return []

    async def commit(self, records: Sequence[Record]) -> None:
        by_partition: dict[int, list[str]] = {}
        for record in records:
            by_partition.setdefault(record.partition, []).append(record.offset)
        async with bus_errors(), self._redis.pipeline(transaction=False) as pipe:
            for partition, offsets in by_partition.items():
                pipe.xack(stream_of(self._topic, partition), self._group, *offsets)
            await pipe.execute()

    def go_back(self, since_ms: int) -> None:
        self._back_to_ms, self._back_until = since_ms, time.monotonic() + GO_BACK_SECONDS
        self._to_go_back = set(self._assigned)

    async def _go_back(self) -> None:
        """The group reads on from there; of these partitions we are its only reader."""
        for partition in sorted(self._to_go_back):
            stream = stream_of(self._topic, partition)
            groups = {it["name"]: it for it in await self._redis.xinfo_groups(stream)}
            group = groups.get(self._group.encode())
            if group is None:
                # Redis lost its data; a new group begins with the oldest entry anyway.
                await self.create_groups()
            elif int(group["last-delivered-id"].split(b"-")[0]) >= self._back_to_ms:
                await self._redis.xgroup_setid(stream, self._group, f"{self._back_to_ms - 1}-0")
            self._to_go_back.discard(partition)

    async def close(self) -> None:
        try:
            await self._call_assign(alive_seconds=0)
            for partition in range(self._partitions):
                # Entries not committed stay in the group's list for the next reader; only our name goes.
                if not await self._redis.xpending_range(
                    stream_of(self._topic, partition), self._group, min="-", max="+", count=1, consumername=self._name
                ):
                    await self._redis.xgroup_delconsumer(stream_of(self._topic, partition), self._group, self._name)
        except (RedisError, OSError) as error:
            log.info("bus.left_unannounced", error=str(error))

    async def _call_assign(self, *, alive_seconds: float) -> frozenset[int]:
        scope = f"{{{self._topic}:{self._group}}}"
        return frozenset(
            await self._assign(
                keys=[f"bus:members:{scope}", f"bus:owners:{scope}"],
                args=[self._name, int(alive_seconds * 1000), self._partitions],
            )
        )

    async def _share_out(self) -> None:
        """Say that we live, and take our share of the partitions."""
        if time.monotonic() - self._assigned_at >= ALIVE_SECONDS:
            # We were taken for dead: another reader may have had our partitions meanwhile, and left something.
            self._assigned = frozenset()
        assigned = await self._call_assign(alive_seconds=ALIVE_SECONDS)
        if assigned != self._assigned:
            log.info("bus.partitions_assigned", topic=self._topic, group=self._group, partitions=sorted(assigned))
        if time.monotonic() < self._back_until:
            self._to_go_back |= assigned - self._assigned
        if new := assigned - self._assigned:
            self._claimed_after_ms = 0
        self._to_claim = dict.fromkeys(new, "0-0") | {
            partition: start for partition, start in self._to_claim.items() if partition in assigned
        }
        self._assigned = assigned
        self._assigned_at = time.monotonic()

    async def _claim(self, limit: int) -> list[Record]:
        """What earlier readers of one of our new partitions took and did not commit."""
        partition, start = next(iter(self._to_claim.items()))
        reply: Any = await self._redis.xautoclaim(
            stream_of(self._topic, partition),
            self._group,
            self._name,
            min_idle_time=self._claimed_after_ms,
            start_id=start,
            count=limit,
        )
        following, entries = reply[0].decode(), reply[1]
        if following == "0-0":
            del self._to_claim[partition]
        else:
            self._to_claim[partition] = following
        return [self._record(partition, offset, fields) for offset, fields in entries]

    async def _read(self, limit: int, timeout_seconds: float) -> list[Record]:
        partitions = {stream_of(self._topic, partition): partition for partition in self._assigned}
        if not partitions:
            await asyncio.sleep(timeout_seconds)
            return []
        reply = await self._redis.xreadgroup(
            self._group,
            self._name,
            dict.fromkeys(partitions, ">"),
            count=max(1, limit // len(partitions)),
            # 0 would wait for ever.
            block=max(1, int(timeout_seconds * 1000)),
        )
        return [
            self._record(partitions[stream.decode()], offset, fields)
            for stream, entries in cast("StreamReply | None", reply) or []
            for offset, fields in entries
        ]

    def _record(self, partition: int, offset: bytes, fields: dict[bytes, bytes]) -> Record:
        return Record(self._topic, partition, offset.decode(), fields[b"key"], fields[b"value"])
