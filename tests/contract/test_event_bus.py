"""What every event bus promises: one suite for all of them. A bus is added by its name in `BUSES`."""

import asyncio
import contextlib
import itertools
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from tests.contract.buses import PARTITIONS, mortal_bus, opened_bus
from tiebreak.errors import BusUnavailable
from tiebreak.event_bus.bus import Consumer, EventBus, Message, Record
from tiebreak.event_bus.topics import Topic

DEADLINE_SECONDS = 30


@dataclass
class Bench:
    """A bus under test, with topics of this test's own."""

    kind: str
    address: str
    bus: EventBus
    topic: str
    other: str
    consumers: list[Consumer] = field(default_factory=list)

    async def reader(self, group: str = "group", topic: str | None = None) -> Consumer:
        consumer = await self.bus.consumer(topic or self.topic, group=f"{group}-{self.topic}")
        self.consumers.append(consumer)
        return consumer

    async def leave(self, consumer: Consumer) -> None:
        self.consumers.remove(consumer)
        await consumer.close()

    async def crashed_reader(self, count: int, group: str = "group") -> None:
        """Somebody who read so many records and was killed before the commit."""
        reader = await asyncio.create_subprocess_exec(
            sys.executable,
            *(
                "-m",
                "tests.contract.doomed_reader",
                self.kind,
                self.address,
                self.topic,
                f"{group}-{self.topic}",
                str(count),
            ),
            stdout=asyncio.subprocess.PIPE,
        )
        assert reader.stdout
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (line := await reader.stdout.readline()) != b"read\n":
                assert line, "the reader ended too early"
        reader.send_signal(signal.SIGKILL)
        await reader.wait()


SERVERS = {
    "streams": ("streams", "redis_url"),
    "streams on Redis 7": ("streams", "redis_7_url"),
    "kafka": ("kafka", "kafka_servers"),
}


@pytest.fixture(params=SERVERS)
def kind_and_address(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Of each bus in turn; its server is started when its turn comes."""
    kind, fixture = SERVERS[request.param]
    return kind, request.getfixturevalue(fixture)


@pytest.fixture
async def bench(kind_and_address: tuple[str, str]) -> AsyncIterator[Bench]:
    kind, address = kind_and_address
    async with opened_bus(kind, address) as bus:
        names = [str(uuid4()), str(uuid4())]
        await bus.create_topics([Topic(name, PARTITIONS, retention_ms=3_600_000) for name in names])
        bench = Bench(kind, address, bus, *names)
        yield bench
        for consumer in bench.consumers:
            await consumer.close()


def messages(count: int, keys: int = 1, start: int = 0) -> list[Message]:
    return [Message(f"key-{at % keys}".encode(), str(at).encode()) for at in range(start, start + count)]


async def read(consumer: Consumer, count: int) -> list[Record]:
    """That many records, at most DEADLINE_SECONDS later."""
    found: list[Record] = []
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len(found) < count:
            found += await consumer.poll(limit=100, timeout_seconds=0.1)
    return found


async def next_millisecond() -> int:
    """A time later than whatever was published until now."""
    start = time.time_ns() // 1_000_000
    while (now := time.time_ns() // 1_000_000) <= start:
        await asyncio.sleep(0)
    return now


def values(records: list[Record]) -> list[int]:
    return [int(record.value) for record in records]


async def test_order_within_a_key(bench):
    """Whatever the partitions do among themselves, records of one key come in the order they were published."""
    producer = await bench.bus.producer()
    consumer = await bench.reader()
    for start in range(0, 600, 100):
        assert await producer.publish(bench.topic, messages(100, keys=7, start=start)) == [True] * 100
    records = await read(consumer, 600)
    for key in {record.key for record in records}:
        of_key = values([record for record in records if record.key == key])
        assert of_key == sorted(of_key)
        assert len({record.partition for record in records if record.key == key}) == 1
    assert sorted(values(records)) == list(range(600))


async def test_group_begins_with_the_oldest(bench):
    """A group that is new reads what was published before it existed."""
    await (await bench.bus.producer()).publish(bench.topic, messages(5))
    assert values(await read(await bench.reader("late"), 5)) == [0, 1, 2, 3, 4]


async def test_groups_are_independent(bench):
    """Each group gets everything."""
    await (await bench.bus.producer()).publish(bench.topic, messages(5))
    for group in ("one", "two"):
        assert len(await read(await bench.reader(group), 5)) == 5


async def test_topics_are_independent(bench):
    """A reader of one topic sees nothing of another."""
    producer = await bench.bus.producer()
    await producer.publish(bench.topic, messages(2))
    await producer.publish(bench.other, messages(2, start=10))
    assert values(await read(await bench.reader(topic=bench.other), 2)) == [10, 11]


async def test_committed_is_not_given_again(bench):
    """Who follows in the group goes on after the last commit."""
    producer = await bench.bus.producer()
    await producer.publish(bench.topic, messages(10))
    first = await bench.reader()
    await first.commit(await read(first, 10))
    await bench.leave(first)
    await producer.publish(bench.topic, messages(3, start=10))
    second = await bench.reader()
    assert values(await read(second, 3)) == [10, 11, 12]


async def test_uncommitted_is_given_again(bench):
    """A reader that leaves without a commit leaves its records to the next one, in order."""
    await (await bench.bus.producer()).publish(bench.topic, messages(10))
    first = await bench.reader()
    records = await read(first, 10)
    await first.commit(records[:4])
    await bench.leave(first)
    second = await bench.reader()
    assert values(await read(second, 6)) == [4, 5, 6, 7, 8, 9]


async def test_dead_reader_is_replaced(bench):
    """A reader that crashes says nothing; within seconds another one has its partitions and its records."""
    await (await bench.bus.producer()).publish(bench.topic, messages(10))
    await bench.crashed_reader(10)
    heir = await bench.reader()
    assert values(await read(heir, 10)) == list(range(10))


async def test_readers_share_the_partitions(bench):
    """Two readers of a group get each record once between them, and each key from one of them."""
    producer = await bench.bus.producer()
    readers = [await bench.reader() for _ in range(2)]
    polled: list[list[Record]] = [[], []]

    async def poll_all() -> None:
        for reader, into in zip(readers, polled, strict=True):
            records = await reader.poll(limit=100, timeout_seconds=0.05)
            await reader.commit(records)
            into.extend(records)

    async with asyncio.timeout(DEADLINE_SECONDS):
        for start in itertools.count(step=20):
            await producer.publish(bench.topic, messages(20, keys=20, start=start))
            await poll_all()
            last = [{record.key for record in records[-20:]} for records in polled]
            if all(last) and not last[0] & last[1]:
                break
        while sum(map(len, polled)) < start + 20:
            await poll_all()
    together = polled[0] + polled[1]
    assert sorted(values(together)) == list(range(start + 20))


async def test_leaving_reader_hands_over_at_once(bench):
    """After a clean close nobody waits for a time-out."""
    producer = await bench.bus.producer()
    first = await bench.reader()
    second = await bench.reader()
    await first.poll(limit=1, timeout_seconds=0.1)
    await second.poll(limit=1, timeout_seconds=0.1)
    await bench.leave(first)
    await producer.publish(bench.topic, messages(40, keys=20))
    assert sorted(values(await read(second, 40))) == list(range(40))


async def test_going_back(bench):
    """What came since a time is given again, committed or not, in order, and then what is new; nothing older is."""
    producer, reader = await bench.bus.producer(), await bench.reader()
    await producer.publish(bench.topic, messages(5))
    await reader.commit(await read(reader, 5))
    since_ms = await next_millisecond()
    await producer.publish(bench.topic, messages(5, start=5))
    records = await read(reader, 5)
    await reader.commit(records[:3])
    for _ in range(2):
        reader.go_back(since_ms)
        again = await read(reader, 5)
        assert values(again) == [5, 6, 7, 8, 9]
    await reader.commit(again)
    await producer.publish(bench.topic, messages(1, start=10))
    assert values(await read(reader, 1)) == [10]


async def test_going_back_in_partitions_taken_over(bench):
    """Who was told to go back does so too where another one has read, committed and left."""
    await (await bench.bus.producer()).publish(bench.topic, messages(20, keys=20))
    first = await bench.reader()
    await first.commit(await read(first, 20))
    heir = await bench.reader()
    heir.go_back(1)
    await bench.leave(first)
    assert sorted(values(await read(heir, 20))) == list(range(20))


async def test_going_back_is_never_forward(bench):
    """What was waiting to be read before that time still comes, and once."""
    producer, reader = await bench.bus.producer(), await bench.reader()
    await producer.publish(bench.topic, messages(5))
    reader.go_back(await next_millisecond())
    assert values(await read(reader, 5)) == [0, 1, 2, 3, 4]
    await producer.publish(bench.topic, messages(1, start=5))
    assert values(await read(reader, 1)) == [5]


async def test_binary_keys_and_values(bench):
    """Bytes come back as they were."""
    await (await bench.bus.producer()).publish(bench.topic, [Message(b"\x00\xff", b"\x00\x01\xfe\r\n")])
    [record] = await read(await bench.reader(), 1)
    assert (record.topic, record.key, record.value) == (bench.topic, b"\x00\xff", b"\x00\x01\xfe\r\n")


async def test_reader_sets_the_pace(bench):
    """However much waits, a poll gives no more than was asked for, and nothing is lost by taking one's time."""
    producer = await bench.bus.producer()
    assert all(await producer.publish(bench.topic, messages(20_000, keys=50)))
    reader = await bench.reader()
    seen: list[int] = []
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len(seen) < 20_000:
            records = await reader.poll(limit=700, timeout_seconds=0.1)
            assert len(records) <= 700
            seen += values(records)
    assert sorted(seen) == list(range(20_000))


async def test_partitions_move_while_reading(bench):
    """Readers join and leave under load: nothing is left out, and next to nothing is given twice."""
    producer = await bench.bus.producer()
    readers = [await bench.reader()]
    committed: list[int] = []

    async def round_trip(start: int) -> None:
        await producer.publish(bench.topic, messages(50, keys=20, start=start))
        for reader in readers:
            records = await reader.poll(limit=500, timeout_seconds=0.1)
            await reader.commit(records)
            committed.extend(values(records))

    async with asyncio.timeout(2 * DEADLINE_SECONDS):
        for start in range(0, 3_000, 50):
            await round_trip(start)
            if start in {500, 1_000}:
                readers.append(await bench.reader())
            if start in {1_500, 2_000}:
                await bench.leave(readers.pop(0))
        while len(set(committed)) < 3_000:
            for reader in readers:
                records = await reader.poll(limit=500, timeout_seconds=0.1)
                await reader.commit(records)
                committed.extend(values(records))
    # A handover may give a record to both readers; far from all are.
    assert len(committed) < 3_300


@pytest.mark.parametrize("kind", ["streams", "kafka"])
async def test_bus_goes_away_and_comes_back(kind):
    """While it is away publishing fails and says so; afterwards all that was acknowledged is there."""
    async with mortal_bus(kind) as (server, address), opened_bus(kind, address) as bus:
        await bus.create_topics([Topic("topic", PARTITIONS, retention_ms=3_600_000)])
        producer, reader = await bus.producer(), await bus.consumer("topic", group="group")
        assert all(await producer.publish("topic", messages(10)))
        first = await read(reader, 10)
        await reader.commit(first)
        await server.kill()
        with pytest.raises(BusUnavailable):
            await producer.publish("topic", messages(1, start=10))
        await server.start()
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(BusUnavailable):
                    assert all(await producer.publish("topic", messages(10, start=10)))
                    break
        seen: set[int] = set()
        async with asyncio.timeout(60):
            while not set(range(10, 20)) <= seen:
                with contextlib.suppress(BusUnavailable):
                    seen |= set(values(await reader.poll(limit=100, timeout_seconds=0.1)))
        assert not seen & set(values(first))
        await reader.close()
        await producer.close()
