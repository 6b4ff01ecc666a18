"""`tiebreak up`: starts the system in order, keeps it running, stops it in reverse order.

Order: port, data directory, Postgres and Valkey, migrations, sample content, our processes. What listens is bound
here first, so that a taken port is found before anything runs and connections queue while a server restarts. With a
gateway, which starts last and stops after our processes, the public port is kept for it and they listen behind it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from socket import socket
from typing import Literal

import asyncpg
from msgspec import Struct

from tiebreak.database.migrations import migrate
from tiebreak.embedded.child import Child
from tiebreak.embedded.data_directory import DataDirectory, DemoHost, Run, taken
from tiebreak.embedded.keeper import Keeper
from tiebreak.embedded.listening import ANY, addresses_in_the_room, http_url, listen, reachable, reserve
from tiebreak.embedded.orders import Orders, until
from tiebreak.embedded.postgres import Postgres
from tiebreak.embedded.processes import LOOPBACK, Wiring, programs
from tiebreak.embedded.readiness import ready_or_dead
from tiebreak.embedded.terminal import Terminal, without_password
from tiebreak.embedded.valkey import Valkey
from tiebreak.gateway.deployment import Address, Deployment, origins
from tiebreak.sample_content import HOST_EMAIL, new_password, seed
from tiebreak.settings import Settings


class Options(Struct, frozen=True, kw_only=True):
    """The command line of `tiebreak up`. `app_servers` are those behind a gateway; 0: a single one, and no gateway."""

    host: str
    port: int
    data: Path
    app_servers: int = 0


async def up(options: Options, settings: Settings, environ: Mapping[str, str]) -> None:
    """Run the system until a signal comes. Raises a Fault when it cannot be started; nothing is left then either."""
    terminal = Terminal()
    if options.app_servers:
        from tiebreak.embedded.gateway import binary  # noqa: PLC0415 - see _start_gateway

        binary()  # or nothing is made
    with ExitStack() as stack:
        orders = stack.enter_context(Orders())
        public = (options.host, options.port)
        # Envoy binds it itself.
        listener = stack.enter_context(reserve(*public, for_reuseport=True) if options.app_servers else listen(*public))
        auth_listener = stack.enter_context(listen(LOOPBACK, 0))
        # App servers bind theirs without SO_REUSEPORT, or two of them could have the same without knowing.
        app_places = [stack.enter_context(reserve(LOOPBACK, 0)) for _ in range(options.app_servers)]
        data = stack.enter_context(taken(options.data.absolute()))
        sockets = stack.enter_context(data.socket_directory())
        system = System(
            host=options.host,
            settings=settings,
            environ=environ,
            terminal=terminal,
            data=data,
            sockets=sockets,
            listener=listener,
            auth_listener=auth_listener,
            app_ports=[port_of(place) for place in app_places],
        )
        if options.app_servers and sys.platform != "linux":  # elsewhere nobody could bind a port that we keep
            for place in (listener, *app_places):
                place.close()
        try:
            await until(orders.stop, system.run())
        finally:
            terminal.say("stopping")
            await system.stop(orders.hurry)
            terminal.say("stopped")


class System:
    """Everything that was started so far, and the one TaskGroup that keeps it running."""

    def __init__(
        self,
        *,
        host: str,
        settings: Settings,
        environ: Mapping[str, str],
        terminal: Terminal,
        data: DataDirectory,
        sockets: Path,
        listener: socket,
        auth_listener: socket,
        app_ports: list[int],
    ) -> None:
        self._host = host
        self._settings = settings
        self._environ = environ
        self._terminal = terminal
        self._data = data
        self._sockets = sockets
        self._listener = listener
        self._port = port_of(listener)
        self._auth_listener = auth_listener
        self._app_ports = app_ports
        self._stores: list[Child] = []
        self._processes: list[Child] = []
        self._gateway: Child | None = None
        self._database_url = settings.database_url
        self._redis_url = settings.redis_url

    async def run(self) -> None:
        """Start everything and keep it running; ends only by cancellation or a Fault."""
        say = self._terminal.say
        say(f"data in {self._data.path}, logs in {self._data.logs}")
        await self._data.last_run_ended(say)
        self._write_run()
        async with asyncio.TaskGroup() as group:
            await self._start_postgres(group)
            await self._start_valkey(group)
            say(f"database {without_password(self._database_url)}")
            say(f"redis    {without_password(self._redis_url)}")
            if ran := await migrate(self._database_url):
                say(f"migrated the database: {', '.join(ran)}")
            await self._start_processes(group)
            if self._app_ports:
                await self._start_gateway(group)
            self._announce(await self._seed())

    async def stop(self, hurry: asyncio.Event) -> None:
        """Stop everything that was started: first our processes, at once, then what they stand on, one by one.

        The gateway in between: it passes on what they still answer.
        """
        await asyncio.gather(*(child.stop(hurry) for child in self._processes))
        if self._gateway is not None:
            await self._gateway.stop(hurry)
        for child in reversed(self._stores):
            await child.stop(hurry)

    async def _start_postgres(self, group: asyncio.TaskGroup) -> None:
        if self._database_url:
            return
        fds = (self._data.children_lock,)
        server = Postgres(self._data.postgres, self._sockets, self._data.log("postgres"), pass_fds=fds)
        if await server.prepare():
            self._terminal.say("made a new database")
        server.forget_last_run()
        self._stores.append(server.child)
        await server.start()
        self._database_url = server.url()
        self._keep(server.child, group, server.ready)

    async def _start_valkey(self, group: asyncio.TaskGroup) -> None:
        if self._redis_url:
            return
        fds = (self._data.children_lock,)
        server = Valkey(self._data.valkey, self._sockets, self._data.log("valkey"), pass_fds=fds)
        self._stores.append(server.child)
        await server.start()
        self._redis_url = server.url()
        self._keep(server.child, group, server.ready)

    async def _seed(self) -> str | None:
        """Put the sample content into an empty database; how to log in as its host, if there is one."""
        demo_host = self._data.demo_host()
        there = await who_is_there(self._database_url, HOST_EMAIL)
        if there == "nobody":
            demo_host = DemoHost(HOST_EMAIL, new_password(), seeded=False)
            # Written before it is used: a run cut off here can still log in, and goes on.
            self._data.write_demo_host(demo_host)
        elif there == "others" or demo_host is None:
            return None
        if not demo_host.seeded:
            base_url = http_url(reachable(self._host), self._port)
            added = (await seed(base_url, email=demo_host.email, password=demo_host.password)).added
            self._terminal.say(f"added sample quizzes: {', '.join(added)}")
            self._data.write_demo_host(DemoHost(demo_host.email, demo_host.password, seeded=True))
        return f"log in as {demo_host.email} with the password {demo_host.password}"

    async def _start_processes(self, group: asyncio.TaskGroup) -> None:
        auth_port = port_of(self._auth_listener)
        wiring = Wiring(
            database_url=self._database_url,
            redis_url=self._redis_url,
            host=self._host,
            port=self._port,
            listen_fd=self._listener.fileno(),
            auth_url=http_url("127.0.0.1", auth_port),
            auth_port=auth_port,
            auth_listen_fd=self._auth_listener.fileno(),
            lock_fd=self._data.children_lock,
            app_ports=tuple(self._app_ports),
        )
        starting = programs(wiring, self._environ)
        self._terminal.say(f"starting {', '.join(program.name for program in starting)}")
        for program in starting:
            child = Child(program, self._data.log(program.name))
            self._processes.append(child)
            await child.start()
        for host, port in self._app_servers():
            await ready_or_dead(self._processes, host, port)
        for child in self._processes:
            self._keep(child, group)
        self._write_run()

    def _app_servers(self) -> list[tuple[str, int]]:
        """Where they can be reached."""
        behind = [(LOOPBACK, port) for port in self._app_ports]
        return behind or [(reachable(self._host), self._port)]

    async def _start_gateway(self, group: asyncio.TaskGroup) -> None:
        from tiebreak.embedded.gateway import Gateway  # noqa: PLC0415 - half a second, for those who want it only

        deployment = Deployment(
            app_servers=tuple(Address(host, port) for host, port in self._app_servers()),
            auth_servers=(Address(LOOPBACK, port_of(self._auth_listener)),),
            origins=origins(self._settings.origins),
            limits_percent=self._settings.limit_gateway_percent,
        )
        self._terminal.say("starting the gateway")
        fds = (self._data.children_lock,)
        place = Address(self._host, self._port)
        log = self._data.log("gateway")
        gateway = Gateway(deployment, place, self._sockets, log, pass_fds=fds)
        self._gateway = gateway.child
        await gateway.start(reachable(self._host))
        self._keep(gateway.child, group)
        self._write_run()

    def _keep(self, child: Child, group: asyncio.TaskGroup, ready: Callable[[], Awaitable[None]] | None = None) -> None:
        keeper = Keeper(child, say=self._terminal.say, restarted=self._write_run, ready=ready)
        group.create_task(keeper.keep())

    def _write_run(self) -> None:
        gateway = [] if self._gateway is None else [self._gateway]
        children = {child.name: child.pid for child in [*self._stores, *self._processes, *gateway]}
        run = Run(
            supervisor=os.getpid(),
            base_url=http_url(reachable(self._host), self._port),
            database_url=self._database_url,
            redis_url=self._redis_url,
            sockets=str(self._sockets),
            kafka_servers=self._environ.get("TIEBREAK_KAFKA_SERVERS", ""),
            children={name: pid for name, pid in children.items() if pid is not None},
        )
        self._data.write_run(run)

    def _announce(self, login: str | None) -> None:
        line = self._terminal.line
        line(f"ready {http_url(self._host, self._port)}")
        if login is not None:
            line(login)
        if self._host in ANY:
            for address in addresses_in_the_room():
                line(f"phones in the room: {http_url(address, self._port)}")
        else:
            line("for phones in the room, start with --host 0.0.0.0")


def port_of(listener: socket) -> int:
    return int(listener.getsockname()[1])


async def who_is_there(database_url: str, email: str) -> Literal["nobody", "others", "them"]:
    """Whether the database has no users, users, or among them the one with this address."""
    connection = await asyncpg.connect(database_url)
    try:
        if await connection.fetchval("SELECT EXISTS (SELECT FROM users WHERE email = $1)", email):
            return "them"
        return "others" if await connection.fetchval("SELECT EXISTS (SELECT FROM users)") else "nobody"
    finally:
        await connection.close()
