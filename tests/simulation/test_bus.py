"""The simulated bus keeps what every event bus promises: the contract's own tests, on both of its manners."""

import asyncio
import time
from collections.abc import AsyncIterator
from random import Random
from uuid import uuid4

import pytest

from simulation.bus_client import SimulatedConsumer, SimulatedProducer
from simulation.bus_server import BusServer
from simulation.history import History
from simulation.network import Network
from simulation.weather import Weather
from tests.contract.buses import PARTITIONS
from tests.contract.test_event_bus import (  # noqa: F401 - collected here, for the bench below
    Bench,
    messages,
    read,
    test_binary_keys_and_values,
    test_committed_is_not_given_again,
    test_dead_reader_is_replaced,
    test_going_back,
    test_going_back_in_partitions_taken_over,
    test_going_back_is_never_forward,
    test_group_begins_with_the_oldest,
    test_groups_are_independent,
    test_leaving_reader_hands_over_at_once,
    test_order_within_a_key,
    test_partitions_move_while_reading,
    test_reader_sets_the_pace,
    test_readers_share_the_partitions,
    test_topics_are_independent,
    test_uncommitted_is_given_again,
    values,
)
from tiebreak.errors import BusUnavailable


class RealLoop:
    """The running loop, as far as the simulation uses its own."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.time, self.create_future, self.call_later = loop.time, loop.create_future, loop.call_later

    def happens(self, delay, callback, *arguments):
        self.call_later(delay, callback, *arguments)


class SimulatedBus:
    """On the machine's clock, in fine weather."""

    def __init__(self, server: BusServer) -> None:
        self.server = server
        self._network = Network(RealLoop(), Random(0), Weather(), History(time.monotonic))

    async def producer(self) -> SimulatedProducer:
        return SimulatedProducer(self._network, "producer", self.server)

    async def consumer(self, topic: str, *, group: str) -> SimulatedConsumer:
        return SimulatedConsumer(self._network, str(uuid4()), self.server, topic, group)


class SimulatedBench(Bench):
    """Whoever dies here is of this process."""

    async def crashed_reader(self, count: int, group: str = "group") -> None:
        reader = await self.bus.consumer(self.topic, group=f"{group}-{self.topic}")
        await read(reader, count)
        reader.forget()


@pytest.fixture(params=["kafka", "streams"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    server = BusServer(request.param, PARTITIONS, time.time)
    bench = SimulatedBench(request.param, "", SimulatedBus(server), "topic", "other")
    yield bench
    for consumer in bench.consumers:
        await consumer.close()


async def test_bus_goes_away_and_comes_back(bench):
    """While it is away it says so; what it had acknowledged is there afterwards."""
    producer, reader = await bench.bus.producer(), await bench.reader()
    assert all(await producer.publish(bench.topic, messages(5)))
    await reader.commit(await read(reader, 5))
    assert all(await producer.publish(bench.topic, messages(5, start=5)))
    bench.bus.server.go_down()
    with pytest.raises(BusUnavailable):
        await producer.publish(bench.topic, messages(1))
    with pytest.raises(BusUnavailable):
        await reader.poll(limit=10, timeout_seconds=0.1)
    bench.bus.server.come_up()
    assert values(await read(reader, 5)) == [5, 6, 7, 8, 9]
