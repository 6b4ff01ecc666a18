"""The event bus on Apache Kafka, by librdkafka (confluent-kafka).

Its clients block or call back from a thread of their own; here each has one worker thread, and callers await it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar, cast

import structlog
from confluent_kafka import Consumer as KafkaClientConsumer
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage
from confluent_kafka import Producer as KafkaClientProducer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tiebreak.errors import BusBroken, BusUnavailable
from tiebreak.event_bus.bus import GO_BACK_SECONDS, Message, Record
from tiebreak.event_bus.topics import TOPICS, Topic

log = structlog.get_logger()

CONNECT_SECONDS = 10.0
DELIVERY_SECONDS = 10.0
SESSION_SECONDS = 6.0
PING_SECONDS = 1.5

# A commit for a partition that has another reader by now: it will be given what we did not commit.
LOST_PARTITION = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError._STATE,  # pyright: ignore[reportPrivateUsage]
    }
)

Result = TypeVar("Result")


class KafkaBus:
    """Makes producers and consumers on one Kafka cluster."""

    def __init__(self, servers: str, *, replication: int) -> None:
        self._servers = servers
        self._replication = replication
        self._admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})

    async def create_topics(self, topics: Sequence[Topic] = TOPICS) -> None:
        await asyncio.to_thread(self._create_topics, topics)

    async def ping(self) -> None:
        await asyncio.to_thread(self._ping)

    async def producer(self) -> KafkaProducer:
        return KafkaProducer(self._servers)

    async def consumer(self, topic: str, *, group: str) -> KafkaConsumer:
        return KafkaConsumer(self._servers, topic, group)

    def _ping(self) -> None:
        try:
            self._admin.list_topics(timeout=PING_SECONDS)
        except KafkaException as error:
            raise BusUnavailable(f"Kafka at {self._servers} does not answer: {error}") from error

    def _create_topics(self, topics: Sequence[Topic]) -> None:
        wanted = [
            NewTopic(
                topic.name,
                num_partitions=topic.partitions,
                replication_factor=self._replication,
                config={
                    "retention.ms": str(topic.retention_ms),
                    "min.insync.replicas": str(max(1, self._replication - 1)),
                },
            )
            for topic in topics
        ]
        made = cast("dict[str, Future[None]]", self._admin.create_topics(wanted, request_timeout=CONNECT_SECONDS))
        for name, future in made.items():
            try:
                future.result()
                log.info("bus.topic_created", topic=name)
            except KafkaException as error:
                if code_of(error) != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise BusUnavailable(
                        f"The topic {name} could not be made on Kafka at {self._servers}: {error}"
                    ) from error


class KafkaProducer:
    """Appends, idempotently and acknowledged by all in-sync replicas: what librdkafka repeats is stored once."""

    def __init__(self, servers: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kafka-producer")
        self._client = KafkaClientProducer(
            {
                "bootstrap.servers": servers,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 0,
                "compression.type": "lz4",
                # The partitioner of the Java client, so that other producers agree on a key's partition.
                "partitioner": "murmur2_random",
                "delivery.timeout.ms": int(DELIVERY_SECONDS * 1000),
                "log_level": 0,
            }
        )

    async def publish(self, topic: str, messages: Sequence[Message]) -> list[bool]:
        return await in_thread(self._thread, lambda: self._publish(topic, messages))

    async def close(self) -> None:
        self._thread.shutdown()

    def _publish(self, topic: str, messages: Sequence[Message]) -> list[bool]:
        acknowledged = [False] * len(messages)
        refused: list[KafkaError] = []

        def reported(place: int) -> Callable[[KafkaError | None, KafkaMessage], None]:
            def report(error: KafkaError | None, _: KafkaMessage) -> None:
                acknowledged[place] = error is None
                if error is not None:
                    refused.append(error)

            return report

        for place, message in enumerate(messages):
            while True:
                try:
                    self._client.produce(topic, message.value, message.key, on_delivery=reported(place))
                    break
                except BufferError:
                    self._client.poll(0.1)
        # Every message has its report by then, good or bad: none stays behind to be sent after we said it was not.
        self._client.flush(DELIVERY_SECONDS + CONNECT_SECONDS)
        if fatal := next((error for error in refused if error.fatal()), None):
            raise BusBroken(f"Kafka's idempotent producer cannot go on: {fatal}")
        if not any(acknowledged):
            raise BusUnavailable(f"Kafka does not take events: {refused[0] if refused else 'no answer'}")
        return acknowledged


class KafkaConsumer:
    """One reader of a consumer group."""

    def __init__(self, servers: str, topic: str, group: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kafka-consumer")
        self._client = KafkaClientConsumer(
            {
                "bootstrap.servers": servers,
                "group.id": group,
                "partition.assignment.strategy": "cooperative-sticky",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": int(SESSION_SECONDS * 1000),
                "heartbeat.interval.ms": int(SESSION_SECONDS * 1000 / 4),
                # A fetch returns as soon as there is something; an empty one is kept open by the broker.
                "fetch.wait.max.ms": 100,
                "log_level": 0,
            }
        )
        self._back_to_ms = 0
        self._back_until = float("-inf")
        self._goes_back_everywhere = False
        self._to_go_back: set[int] = set()
        self._topic = topic
        self._client.subscribe([topic], on_assign=self._assigned, on_revoke=self._revoked)

    async def poll(self, *, limit: int, timeout_seconds: float) -> list[Record]:
        return await in_thread(self._thread, lambda: self._poll(limit, timeout_seconds))

    async def commit(self, records: Sequence[Record]) -> None:
        await in_thread(self._thread, lambda: self._commit(records))

    def go_back(self, since_ms: int) -> None:
        self._back_to_ms, self._back_until = since_ms, time.monotonic() + GO_BACK_SECONDS
        self._goes_back_everywhere = True

    async def close(self) -> None:
        await in_thread(self._thread, self._client.close)
        self._thread.shutdown()

    def _assigned(self, _: object, partitions: list[TopicPartition]) -> None:
        if partitions:
            log.info("bus.partitions_assigned", partitions=sorted(it.partition for it in partitions))
        if time.monotonic() < self._back_until:
            self._to_go_back.update(it.partition for it in partitions)

    def _revoked(self, _: object, partitions: list[TopicPartition]) -> None:
        if partitions:
            log.info("bus.partitions_revoked", partitions=sorted(it.partition for it in partitions))
        self._to_go_back.difference_update(it.partition for it in partitions)

    def _go_back(self) -> None:
        """Raises BusUnavailable; those that are left are tried again with the next poll."""
        places = [TopicPartition(self._topic, it, self._back_to_ms) for it in sorted(self._to_go_back)]
        try:
            thens = self._client.offsets_for_times(places, timeout=CONNECT_SECONDS)
            nexts = self._client.position(places)
            committed = self._client.committed(places, timeout=CONNECT_SECONDS)
            for then, following, stored in zip(thens, nexts, committed, strict=True):
                # The one before anything was read is where the group had come to; with no offset, the very beginning.
                reached = following.offset if following.offset >= 0 else stored.offset
                if 0 <= then.offset < reached:
                    self._client.seek(then)
                self._to_go_back.discard(then.partition)
        except KafkaException as error:
            raise BusUnavailable(f"Kafka does not let us go back yet: {error}") from error

    def _poll(self, limit: int, timeout_seconds: float) -> list[Record]:
        if self._goes_back_everywhere:
            self._goes_back_everywhere = False
            self._to_go_back = {it.partition for it in self._client.assignment()}
        if self._to_go_back:
            self._go_back()
        # Wait for the first one only: consume() would wait for a whole batch.
        first = self._client.poll(timeout_seconds)
        if first is None:
            return []
        messages = [first, *self._client.consume(limit - 1, 0)] if limit > 1 else [first]
        records = [record_of(message) for message in messages if message.error() is None]
        if not records:
            # Beside records an error waits for the next poll: raised now, it would take them with it.
            for message in messages:
                tell_error(message)
        return records

    def _commit(self, records: Sequence[Record]) -> None:
        furthest: dict[tuple[str, int], int] = {}
        for record in records:
            place = record.topic, record.partition
            furthest[place] = max(furthest.get(place, 0), int(record.offset) + 1)
        offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in furthest.items()]
        if not offsets:
            return
        try:
            self._client.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            if code_of(error) not in LOST_PARTITION:
                raise BusUnavailable(f"Kafka does not take the commit: {error}") from error
            log.info("bus.commit_came_late", error=str(error))


def tell_error(message: KafkaMessage) -> None:
    """librdkafka gets over errors of the broker by itself. Raises BusBroken on fatal ones."""
    error = message.error()
    if error is None:
        return
    if error.fatal():
        raise BusBroken(f"Kafka's consumer cannot go on: {error}")
    if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        raise BusUnavailable(f"The topic is not there yet: {error}")
    log.info("bus.waiting", error=str(error))


def record_of(message: KafkaMessage) -> Record:
    return Record(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=str(message.offset()),
        key=as_bytes(message.key()),
        value=as_bytes(message.value()),
    )


def as_bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""


def code_of(error: KafkaException) -> int:
    inner: Any = error.args[0]
    return int(inner.code())


async def in_thread(thread: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
    """Run in the client's own thread. A cancelled wait lets the call end by itself."""
    waiting: Awaitable[Result] = asyncio.get_running_loop().run_in_executor(thread, work)
    return await waiting
