"""The processes that run, and a new one for each that ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulation.cache import CacheServer
from simulation.ids import Ids
from simulation.network import Network
from simulation.processes import AppServer, CacheWorker, Machine, PublisherWorker
from simulation.servers import Servers
from simulation.shared import START_MS
from tiebreak.cache.keys import INCARNATION

if TYPE_CHECKING:
    from simulation.judge import Judge

AUDIT_SECONDS = 300


class Place:
    """Where a process runs; when it ends, the next one does."""

    def __init__(self, name: str, make: Callable[[str], Machine]) -> None:
        self.name = name
        self.make = make
        self.machine: Machine | None = None
        self.count = 0


class Installation:
    """Two of each, on one of each server."""

    def __init__(self, network: Network, ids: Ids, on_violation: Callable[[str], None]) -> None:
        random = network.random
        self._network = network
        self.ids = ids
        self._violated = on_violation
        self.judge: Judge | None = None
        manner = "kafka" if random.random() < 0.5 else "streams"
        self.servers = Servers(
            network,
            lambda: START_MS / 1000 + network.loop.time(),
            ids.new_life(),
            manner,
            is_shared=manner == "streams" and random.random() < 0.5,
            on_nudge=self._nudge,
            on_read=self._read,
        )
        if random.random() < 0.8:
            self._settle_cache()
        self.audits = random.random() < 0.3
        audit_seconds = AUDIT_SECONDS if self.audits else 0
        makers: dict[str, Callable[[str], Machine]] = {
            "app": lambda name: AppServer(name, network, self.servers, audit_seconds=audit_seconds),
            "publisher": lambda name: PublisherWorker(name, network, self.servers, ids),
            "cache": lambda name: CacheWorker(name, network, self.servers),
        }
        self.places = [Place(f"{kind}-{number}", make) for kind, make in makers.items() for number in (1, 2)]

    def _settle_cache(self) -> None:
        """The cache has been there for an hour: nobody goes back in the log because it is young."""
        data = self.servers.cache.data
        data.collection(INCARNATION).update(life=data.life, id="settled", since_ms=str(START_MS - 3_600_000))

    def start(self) -> None:
        for place in self.places:
            self.start_at(place)

    def start_at(self, place: Place) -> None:
        place.count += 1
        machine = place.machine = place.make(f"{place.name}#{place.count}")
        self._network.history.add(machine.name, "starts")
        task = machine.context.run(self._network.loop.create_task, machine.run())
        task.add_done_callback(lambda task: self._ended(place, machine, task))

    def _ended(self, place: Place, machine: Machine, task: asyncio.Task[None]) -> None:
        """It was told to stop, or has failed."""
        if machine is not place.machine or task.cancelled():
            return
        if (error := task.exception()) is not None:
            self._violated(f"{machine.name} died of {error!r}")
        self._bury(place, machine)

    def kill(self, place: Place) -> None:
        """As SIGKILL does, at whatever it is waiting for."""
        if (machine := place.machine) is not None:
            self._network.history.add(machine.name, "is killed")
            self._bury(place, machine)

    def _bury(self, place: Place, machine: Machine) -> None:
        self._network.loop.kill_process(machine.process)
        place.machine = None
        machine.on_killed()
        self._network.later(0.05 + self._network.random.random() * 0.5, self.start_at, place)

    def app_server(self) -> AppServer | None:
        """One of those that are there, though it may stand still."""
        there = [it.machine for it in self.places if isinstance(it.machine, AppServer)]
        return self._network.random.choice(there) if there else None

    def _nudge(self) -> None:
        for place in self.places:
            if isinstance(place.machine, PublisherWorker) and not self._network.is_untold():
                place.machine.hear_nudge()

    def _read(self, server: CacheServer, board_key: str, reply: list[Any]) -> None:
        if self.judge is not None:
            self.judge.read(server, board_key, reply)
