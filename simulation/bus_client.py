"""Producers and readers of the simulated bus (event_bus/bus.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from simulation.bus_server import ALIVE_SECONDS, BusServer
from simulation.network import Network
from tiebreak.errors import BusUnavailable
from tiebreak.event_bus.bus import GO_BACK_SECONDS, Message, Record
from tiebreak.event_bus.streams import SWEEP_SECONDS

OUTAGES = (BusUnavailable("The bus does not answer."), BusUnavailable("No reply in time."))
ASSIGN_SECONDS = 1.0
# How long Redis keeps the read of a connection that is gone: as long as it was asked to wait.
BLOCKED_SECONDS = 0.5


class SimulatedProducer:
    """Appends; the bus may take a message twice, or acknowledge less than it took."""

    def __init__(self, network: Network, who: str, server: BusServer) -> None:
        self._network = network
        self._who = who
        self._server = server

    async def publish(self, topic: str, messages: Sequence[Message]) -> list[bool]:
        server = self._server
        [acknowledged] = await self._network.call(
            self._who, server, f"publish {len(messages)}", [lambda: self._taken(server, topic, messages)], OUTAGES
        )
        if not any(acknowledged):
            raise BusUnavailable("The bus does not take events.")
        return acknowledged

    def _taken(self, server: BusServer, topic: str, messages: Sequence[Message]) -> list[bool]:
        network = self._network
        random, weather = network.random.random, network.weather
        halved = random() < weather.half_acknowledged
        acknowledged: list[bool] = []
        for message in messages:
            # Of half a batch each may be taken or not, and acknowledged or not; but none is acknowledged and not taken.
            taken = not halved or random() < 0.7
            if taken:
                server.append(topic, message)
                if random() < weather.doubled:
                    network.faults["doubled"] += 1
                    server.append(topic, message)
            acknowledged.append(taken and (not halved or random() < 0.5))
        if halved:
            network.faults["half_acknowledged"] += 1
        server.wake_readers()
        return acknowledged

    def move(self, server: BusServer) -> None:
        """Go on with another one."""
        self._server = server

    async def close(self) -> None:
        """Nothing to give back."""


class SimulatedConsumer:
    """One reader of a group."""

    def __init__(self, network: Network, who: str, server: BusServer, topic: str, group: str) -> None:
        self._network = network
        self._who = who
        self._server = server
        self._scope = topic, group
        self._topic = topic
        self._loop = network.loop
        # Partition → the turn in which it is ours.
        self._assigned: dict[int, int] = {}
        self._assigned_at = float("-inf")
        self._positions: dict[int, int] = {}
        self._to_begin: dict[int, None] = {}
        # As StreamsConsumer has them: what is claimed was given out so long ago.
        self._claimed_after_seconds = 0.0
        self._swept_at = self._loop.time()
        self._back_to_ms = 0
        self._back_until = float("-inf")
        self._to_go_back: dict[int, None] = {}
        self._published: asyncio.Future[None] | None = None
        server.readers.append(self._wake)

    async def _call(self, what: str, work: Callable[[BusServer], Any]) -> Any:  # noqa: ANN401
        server = self._server
        [reply] = await self._network.call(self._who, server, what, [lambda: work(server)], OUTAGES)
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def poll(self, *, limit: int, timeout_seconds: float) -> list[Record]:
        try:
            return await self._poll(limit, timeout_seconds)
        except BusUnavailable:
            if self._server.manner == "streams":
                self._to_begin, self._claimed_after_seconds = dict.fromkeys(self._assigned), 0.0
            raise

    async def _poll(self, limit: int, timeout_seconds: float) -> list[Record]:
        ends = self._loop.time() + timeout_seconds
        while True:
            if self._loop.time() - self._assigned_at >= ASSIGN_SECONDS:
                await self._share_out()
            if self._server.manner == "kafka":
                records = await self._fetch(limit)
            else:
                records = await self._read(limit)
            left = ends - self._loop.time()
            if records or left <= 0:
                return records
            await self._rest(min(left, ASSIGN_SECONDS))

    async def _rest(self, seconds: float) -> None:
        """Until something is published, at most so long."""
        self._published = self._loop.create_future()
        timer = self._loop.call_later(seconds, self._wake_now)
        try:
            await self._published
        finally:
            timer.cancel()
            self._published = None

    def _wake(self) -> None:
        if self._published is not None:
            self._network.later(self._network.seconds(), self._wake_now)

    def _wake_now(self) -> None:
        if self._published is not None and not self._published.done():
            self._published.set_result(None)

    async def _share_out(self) -> None:
        if self._loop.time() - self._assigned_at >= ALIVE_SECONDS[self._server.manner]:
            self._assigned = {}
        now = self._loop.time()
        assigned = await self._call("share_out", lambda server: server.share_out(*self._scope, self._who))
        new = [it for it, turn in assigned.items() if self._assigned.get(it) != turn]
        if now < self._back_until:
            self._to_go_back.update(dict.fromkeys(new))
        if new:
            self._claimed_after_seconds = 0.0
        self._to_begin = {it: None for it in (*self._to_begin, *new) if it in assigned}
        self._to_go_back = {it: None for it in self._to_go_back if it in assigned}
        self._assigned, self._assigned_at = assigned, now

    async def _fetch(self, limit: int) -> list[Record]:
        """As from Kafka: we know where we are."""
        for partition in list(self._to_begin):
            self._positions[partition] = await self._call(
                "committed", lambda server, it=partition: server.reached(*self._scope, it)
            )
            self._to_begin.pop(partition, None)
        for partition in list(self._to_go_back):
            then = await self._call(
                "offset_at", lambda server, it=partition: server.offset_at(self._topic, it, self._back_to_ms)
            )
            self._positions[partition] = min(self._positions[partition], then)
            self._to_go_back.pop(partition, None)
        places = [(it, self._positions[it]) for it in self._assigned]
        records: list[Record] = await self._call("fetch", lambda server: server.fetch(self._topic, places, limit))
        for record in records:
            self._positions[record.partition] = int(record.offset) + 1
        return records

    async def _read(self, limit: int) -> list[Record]:
        """As from Redis Streams: the group knows where it is; a reply that is lost is claimed again.

        What is given out after that is found by a sweep, as StreamsConsumer does.
        """
        for partition in list(self._to_go_back):
            await self._call("go_back", lambda server, it=partition: server.go_back(*self._scope, it, self._back_to_ms))
            self._to_go_back.pop(partition, None)
        if not self._to_begin and self._loop.time() - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = self._loop.time()
            self._to_begin, self._claimed_after_seconds = dict.fromkeys(self._assigned), SWEEP_SECONDS
        seconds_ago = self._claimed_after_seconds
        for partition in list(self._to_begin):
            claimed = await self._call(
                "claim", lambda server, it=partition: server.claim(*self._scope, it, seconds_ago)
            )
            self._to_begin.pop(partition, None)
            if claimed:
                return claimed
        if not self._assigned:
            return []
        assigned, is_heard = list(self._assigned), [True]

        def give_out(server: BusServer) -> list[Record]:
            found = server.give_out(*self._scope, assigned, limit)
            if not found and not is_heard[0]:
                # The server waits for entries, of which nobody will hear.
                server.blocked.append((server.now() + BLOCKED_SECONDS, partial(give_out, server)))
            return found

        try:
            return await self._call("give_out", give_out)
        except BusUnavailable:
            is_heard[0] = False
            raise

    async def commit(self, records: Sequence[Record]) -> None:
        if self._server.manner == "streams":
            await self._call("acknowledge", lambda server: server.acknowledge(*self._scope, records))
            return
        offsets: dict[int, int] = {}
        for record in records:
            offsets[record.partition] = max(offsets.get(record.partition, 0), int(record.offset) + 1)
        await self._call("commit", lambda server: server.commit_offsets(*self._scope, self._who, offsets))

    def go_back(self, since_ms: int) -> None:
        self._back_to_ms, self._back_until = since_ms, self._loop.time() + GO_BACK_SECONDS
        self._to_go_back = dict.fromkeys(self._assigned)

    def move(self, server: BusServer) -> None:
        """Go on with another one."""
        self.forget()
        self._server = server
        server.readers.append(self._wake)

    async def close(self) -> None:
        with suppress(BusUnavailable):
            await self._call("leave", lambda server: server.share_out(*self._scope, self._who, leaves=True))
        self.forget()

    def forget(self) -> None:
        """Nobody is there to be woken."""
        if self._wake in self._server.readers:
            self._server.readers.remove(self._wake)
