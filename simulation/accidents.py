"""What happens to processes and servers, beside what happens to messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simulation.bus_server import BusData
from simulation.cache import CacheServer
from simulation.installation import Installation, Place
from simulation.judge import Judge
from simulation.keyspace import Keyspace
from simulation.network import Network, Server
from simulation.processes import Machine
from simulation.screens import Screen
from simulation.tables import Row
from simulation.virtual_loop import Process
from tiebreak.cache.keys import board_keys
from tiebreak.quiz.model import QuizSessionId

MOST = 8
LAST_SECONDS = 0.15
LONGEST_PAUSE_SECONDS = 9.0
LONGEST_DOWN_SECONDS = 0.8
# What a server may have forgotten that comes back, or a replica not have got.
LONGEST_LAG_SECONDS = 1.0
# How late a process may see that the cache is elsewhere.
LATEST_MOVE_SECONDS = 4.0


class Accidents:
    """Draws some, and lets them happen."""

    def __init__(self, network: Network, installation: Installation, judge: Judge, screens: Sequence[Screen]) -> None:
        self._network = network
        self._random = network.random
        self._installation = installation
        self._servers = installation.servers
        self._judge = judge
        self._screens = screens
        # A copy of the cache as it was a moment ago, for whoever comes back without the last second.
        self._copy: tuple[Keyspace, BusData] | None = None
        network.kill = self._kill_named
        network.stop = self._stop_named

    def plan(self, seconds: float) -> None:
        """Within so long."""
        kinds = [it for it in KINDS if self._random.random() < 0.4]
        for _ in range(self._random.randint(0, MOST) if kinds else 0):
            at = self._random.random() * seconds
            kind = self._random.choice(kinds)
            self._network.loop.happens(max(0.0, at - self._random.random() * LONGEST_LAG_SECONDS), self._copied)
            self._network.loop.happens(at, self._happen, kind)
        # At the very end nothing comes after it that would mend by chance what it has broken.
        if self._random.random() < 0.3:
            self._network.loop.happens(seconds - self._random.random() * LAST_SECONDS, self._happen, "power_cut")

    def end(self) -> None:
        """Whoever stands still goes on."""
        for place in self._installation.places:
            if place.machine is not None and place.machine.process.is_stopped:
                self._continue(place.machine.process)

    def _continue(self, process: Process) -> None:
        self._network.history.add(process.name, "goes on")
        self._network.loop.continue_process(process)

    def _happen(self, kind: str) -> None:
        self._network.faults[kind] += 1
        self._network.history.add("accidents", kind)
        KINDS[kind](self)

    def _copied(self) -> None:
        data = self._servers.cache.data
        self._copy = data.copied(data.life), self._servers.bus.data.copied()

    def _place(self) -> Place:
        return self._random.choice(self._installation.places)

    def _kill(self) -> None:
        self._installation.kill(self._place())

    def _cut_power(self) -> None:
        """Of all processes, or of all workers: then no screen comes back for a snapshot that heals what they broke."""
        workers_only = self._random.random() < 0.5
        for place in self._installation.places:
            if not (workers_only and place.name.startswith("app")):
                self._installation.kill(place)

    def _kill_named(self, name: str) -> None:
        for place in self._installation.places:
            if place.machine is not None and place.machine.name == name:
                self._installation.kill(place)

    def _stop_named(self, name: str) -> None:
        for place in self._installation.places:
            if place.machine is not None and place.machine.name == name:
                self._stop_at(place)

    def _stop(self) -> None:
        self._stop_at(self._place())

    def _stop_at(self, place: Place) -> None:
        machine = place.machine
        if machine is not None and machine.process.runs:
            self._network.history.add(machine.name, "stands still")
            self._network.loop.stop_process(machine.process)
            seconds = self._random.random() * LONGEST_PAUSE_SECONDS
            self._network.later(seconds, self._continue, machine.process)

    def _tell_to_stop(self) -> None:
        machine = self._place().machine
        if machine is not None:
            machine.stop.set()

    def _take_down(self, server: Server) -> None:
        server.go_down()
        self._network.later(self._random.random() * LONGEST_DOWN_SECONDS, server.come_up)

    def _lose_bus(self, data: BusData) -> None:
        if self._servers.is_shared:
            self._servers.bus.data = data

    def _empty_cache(self) -> None:
        # Whoever is not through yet is cut off: see docs/decisions/0025 for the one call that would do harm later.
        self._servers.cache.cut_connections()
        self._servers.cache.data.clear()
        self._servers.rooms.lose(self._servers.cache)
        self._lose_bus(BusData({}, {}))

    def _restart_cache(self) -> None:
        """It comes back as it was a moment ago, in another run."""
        assert self._copy is not None
        cache, (data, bus_data) = self._servers.cache, self._copy
        cache.go_down()
        self._servers.rooms.lose(cache)
        self._lose_bus(bus_data.copied())
        life = self._installation.ids.new_life()
        self._network.later(self._random.random() * LONGEST_DOWN_SECONDS, cache.restart, data.copied(life))

    def _fail_over(self) -> None:
        """Another server goes on with what it has got; processes notice one after the other."""
        if self._servers.is_shared and not self._installation.audits:
            # Then answers may be lost that only an audit brings back (docs/decisions/0020).
            return self._restart_cache()
        assert self._copy is not None
        old = self._servers.cache
        data = self._copy[0].copied(self._installation.ids.new_life())
        new = self._servers.cache = CacheServer(data, old.on_read)
        if self._servers.is_shared:
            self._servers.bus = self._servers.bus.succeeded(self._copy[1].copied())
        self._judge.succeeds(new, old)
        for place in self._installation.places:
            if (machine := place.machine) is not None and machine.address.server is not new:
                self._network.later(self._random.random() * LATEST_MOVE_SECONDS, self._move, machine, new)
        return None

    def _move(self, machine: Machine, new: CacheServer) -> None:
        if new is self._servers.cache:
            self._network.history.add(machine.name, "sees the other cache")
            machine.address.server = new
            machine.on_moved()

    def _session(self) -> Row | None:
        sessions = list(self._servers.database.tables.sessions.values())
        return self._random.choice(sessions) if sessions else None

    def _evict(self) -> None:
        if (session := self._session()) is not None:
            self._servers.cache.data.delete(self._random.choice(board_keys(QuizSessionId(session["id"]))))

    def _disconnect(self) -> None:
        if self._screens:
            self._random.choice(self._screens).disconnect()

    def _finish(self) -> None:
        server, session = self._installation.app_server(), self._session()
        if server is not None and session is not None:
            server.finish(QuizSessionId(session["id"]))


KINDS: dict[str, Callable[[Accidents], None]] = {
    "killed": Accidents._kill,
    "power_cut": Accidents._cut_power,
    "stopped": Accidents._stop,
    "told_to_stop": Accidents._tell_to_stop,
    "cache_emptied": Accidents._empty_cache,
    "cache_restarted": Accidents._restart_cache,
    "cache_failed_over": Accidents._fail_over,
    "key_evicted": Accidents._evict,
    "database_restarted": lambda accidents: accidents._take_down(accidents._servers.database),
    "bus_restarted": lambda accidents: accidents._take_down(accidents._servers.bus),
    "screen_disconnected": Accidents._disconnect,
    "session_finished": Accidents._finish,
}
