"""A Socket.IO server: protocol version 5, on an Engine.IO server of version 4.

server = Server()
server.of("/").on("hello", greet)                       # async def greet(socket, arguments): return ["world"]
uvicorn.Config(server.mount(app), ws=server.web_socket(), loop="uvloop")
await server.of("/").to("room").emit("news", 1)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from tiebreak.socket_adapter.engine_io.long_polling import App
from tiebreak.socket_adapter.engine_io.options import EngineOptions
from tiebreak.socket_adapter.engine_io.server import EngineServer
from tiebreak.socket_adapter.engine_io.session import Session
from tiebreak.socket_adapter.engine_io.web_socket import AddressOf, WebSocket
from tiebreak.socket_adapter.socket_io.adapter import Adapter, AdapterFactory, LocalAdapter, LocalNamespace
from tiebreak.socket_adapter.socket_io.client import Client
from tiebreak.socket_adapter.socket_io.namespace import Namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketOptions:
    """Limits and times of the Socket.IO layer."""

    connect_timeout_seconds: float = 45.0
    # How long a client that lost its connection may come back as the same socket; 0: not at all.
    recovery_seconds: float = 0.0
    max_attachments: int = 10
    # A client that sends more is read more slowly. None: no limit.
    messages_per_second: float | None = None
    message_burst: int = 100
    # Messages of one client that are handled at the same time; so many more may wait before we stop reading.
    max_handling: int = 1_000
    max_waiting: int = 1_000


@dataclass(slots=True)
class SocketCounts:
    """What happened since the start."""

    throttled: int = 0
    recovered: int = 0


class Server:
    """Namespaces, and the clients that connect to them. The namespace "/" is always there."""

    def __init__(
        self,
        options: SocketOptions | None = None,
        engine_options: EngineOptions | None = None,
        adapter: AdapterFactory = LocalAdapter,
    ) -> None:
        """`adapter` makes the adapter of each namespace: it joins this server to others."""
        self.options = options or SocketOptions()
        self.counts = SocketCounts()
        self.engine = EngineServer(self._accept, engine_options)
        self._adapter = adapter
        self._tasks: set[asyncio.Task[None]] = set()
        self.namespaces: dict[str, Namespace] = {}
        self.of("/")

    def of(self, name: str) -> Namespace:
        """The namespace of this name, such as "/" or "/admin"; made when it is asked for first."""
        if name not in self.namespaces:
            if not name.startswith("/") or "," in name:
                raise ValueError(f'{name!r} is no name of a namespace: it begins with "/" and has no comma.')
            self.namespaces[name] = Namespace(self, name)
        return self.namespaces[name]

    def mount(self, app: App) -> App:
        """An ASGI app that answers requests for sockets itself, and leaves everything else to `app`."""
        return self.engine.mount(app)

    def web_socket(self, address_of: AddressOf | None = None) -> Callable[..., WebSocket]:
        """What uvicorn makes of connections that become WebSockets: its `ws=`."""
        return self.engine.web_socket(address_of)

    async def close(self) -> None:
        """Take no new connections and close those there are; clients come back, to another server if there is one."""
        await self.engine.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def adapter_for(self, namespace: LocalNamespace) -> Adapter:
        return self._adapter(namespace)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it beside the rest until it ends, or the server closes."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _accept(self, session: Session) -> Client:
        return Client(self, session)
