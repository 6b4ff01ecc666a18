"""The system under test: two of every worker and app server, their stores, and a link of ours on every way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp

from chaos.broker import Broker
from chaos.cache_server import CacheKind, CacheServer
from chaos.database_server import DatabaseServer
from chaos.fault_proxy import Link
from chaos.process import Process
from chaos.schedule import APP_SERVERS, AUTH, CACHE, KAFKA, PLAYERS, POSTGRES, PROCESSES, Bus, links
from tests.system import LIMITS

START_SECONDS = 60.0
# A round is over before a log-in has to be renewed; and clocks step by minutes.
SETTINGS = LIMITS | {"TIEBREAK_ACCESS_TOKEN_MINUTES": "60", "TIEBREAK_FORWARD_AUTH": "true"}


class Stage:
    """Everything that faults happen to, by name (schedule.py)."""

    def __init__(self, bus: Bus, cache: CacheKind, folder: Path, settings: Mapping[str, str]) -> None:
        self.bus: Bus = bus
        self._settings = settings
        self.folder = folder
        self.links = {name: Link(name) for name in links(bus)}
        self.database = DatabaseServer(folder)
        self.cache = CacheServer(cache, folder)
        self.processes: dict[str, Process] = {}
        self._broker: Broker | None = None

    @property
    def broker(self) -> Broker:
        assert self._broker is not None, "this stage has no Kafka"
        return self._broker

    @property
    def origins(self) -> list[str]:
        """Where players find the app servers."""
        return [f"http://127.0.0.1:{self.links[f'{PLAYERS}→{app}'].port}" for app in APP_SERVERS]

    def take_incidents(self) -> list[str]:
        """What processes did that nobody asked for, since we were last asked."""
        taken = [incident for process in self.processes.values() for incident in process.incidents]
        for process in self.processes.values():
            process.incidents.clear()
        return taken

    def links_to(self, server: str) -> list[Link]:
        return [link for name, link in self.links.items() if name.endswith(f"→{server}")]

    async def open(self, closing: AsyncExitStack) -> None:
        """Start everything, and wait until it is ready. `closing` stops it, in reverse order."""
        for link in self.links.values():
            await link.open()
            closing.push_async_callback(link.close)
        closing.push_async_callback(self.database.stop)
        await self.database.start()
        await self.cache.start()
        closing.push_async_callback(self.cache.stop)
        if self.bus == "kafka":
            doors = self.links_to(KAFKA)
            self._broker = Broker(self.folder, [door.port for door in doors])
            for door, port in zip(doors, self._broker.door_ports, strict=True):
                door.target = port
            await self._broker.start()
            closing.push_async_callback(self._broker.stop)
        self.lead()
        closing.push_async_callback(self._stop_processes)
        for name in PROCESSES:
            process = self.processes[name] = Process(name, self._environ(name), self.folder)
            if name in (AUTH, *APP_SERVERS):
                for link in self.links_to(name):
                    link.target = process.port
            process.start()
        await self.ready(seconds=START_SECONDS)

    def lead(self) -> None:
        """Let the links lead to where the stores are now."""
        for link in self.links_to(POSTGRES):
            link.target = self.database.socket
        for link in self.links_to(CACHE):
            link.target = self.cache.socket

    async def ready(self, *, seconds: float) -> None:
        """Wait until every process says that it is ready. Raises TimeoutError, naming those that do not."""
        left = list(self.processes.values())
        async with aiohttp.ClientSession() as http:
            try:
                async with asyncio.timeout(seconds):
                    while left:
                        said = await asyncio.gather(*(process.ready(http) for process in left))
                        left = [process for process, is_ready in zip(left, said, strict=True) if not is_ready]
                        await asyncio.sleep(0.05)
            except TimeoutError:
                names = ", ".join(process.name for process in left)
                raise TimeoutError(f"not ready within {seconds:.0f} s: {names}") from None

    def _environ(self, name: str) -> dict[str, str]:
        def port(server: str) -> int:
            link = self.links.get(f"{name}→{server}")
            return link.port if link else 1  # a way that it must not have

        kafka = {"TIEBREAK_KAFKA_SERVERS": f"127.0.0.1:{port(KAFKA)}"} if f"{name}→{KAFKA}" in self.links else {}
        return (
            SETTINGS
            | dict(self._settings)
            | kafka
            | {
                "TIEBREAK_DATABASE_URL": f"postgresql://tiebreak@127.0.0.1:{port(POSTGRES)}/tiebreak?sslmode=disable",
                "TIEBREAK_REDIS_URL": f"redis://127.0.0.1:{port(CACHE)}/0",
                "TIEBREAK_AUTH_URL": f"http://127.0.0.1:{port(AUTH)}",
            }
        )

    async def _stop_processes(self) -> None:
        await asyncio.gather(*(process.stop() for process in self.processes.values()))


@asynccontextmanager
async def staged(
    bus: Bus, cache: CacheKind, folder: Path, settings: Mapping[str, str] | None = None
) -> AsyncGenerator[Stage]:
    """A stage that is ready, and gone at the end; its processes have these settings, besides."""
    async with AsyncExitStack() as closing:
        stage = Stage(bus, cache, folder, settings or {})
        await stage.open(closing)
        yield stage
