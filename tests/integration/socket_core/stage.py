"""Servers on real ports in the loop of a test, and the clients that connect to them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from tests.conformance.http_connection import Answer, HttpConnection, connect
from tests.conformance.server_program import Endpoint
from tests.conformance.web_socket import WebSocket, handshake, open_engine
from tests.integration.socket_core.clients import Client, polling_client
from tiebreak.http_edge.serving import Sockets, serve
from tiebreak.settings import Settings
from tiebreak.socket_adapter.engine_io.options import EngineOptions
from tiebreak.socket_adapter.socket_io.server import Server, SocketOptions
from tiebreak.socket_adapter.socket_io.socket import Socket

DEADLINE_SECONDS = 10.0


class Stage:
    """One server, whose main namespace lets everybody in, and its clients."""

    endpoint: Endpoint
    server: Server

    def __init__(self, closing: AsyncExitStack) -> None:
        self._closing = closing
        # What the application heard, by socket id.
        self.reasons: dict[str, str] = {}

    async def serve(self, options: SocketOptions | None = None, engine_options: EngineOptions | None = None) -> Server:
        """Serve a new Socket.IO server; returns when it listens."""
        self.server = Server(options, engine_options)
        self.server.of("/").on_disconnect(lambda socket, reason: self.reasons.update({socket.id: reason}))
        await self.serve_sockets(self.server)
        return self.server

    async def serve_sockets(self, sockets: Sockets) -> None:
        """Serve any server of sockets as the app server does: beside an app, on one port."""
        self.endpoint = await self._closing.enter_async_context(serving(sockets))

    # --- clients -------------------------------------------------------------------------------------------------

    async def stranger(self, *, headers: Mapping[str, str] | None = None) -> Client:
        """A WebSocket that has not sent its CONNECT."""
        return Client(await self._closing.enter_async_context(open_engine(self.endpoint, headers)))

    async def member(self, *rooms: str) -> Client:
        """A socket over a WebSocket, in these rooms."""
        return await self.admitted(await self.stranger(), *rooms)

    async def polling_member(self, *rooms: str) -> Client:
        """A socket over long-polling, in these rooms."""
        return await self.admitted(await polling_client(self.endpoint), *rooms)

    async def slow_member(self, *rooms: str) -> Client:
        """A socket that reads nothing of what it is sent but what the test asks for."""
        connection = await self.slow_connection()
        await connection.send(handshake(self.endpoint))
        web_socket = WebSocket(connection, await connection.answer())
        assert await web_socket.receive()
        return await self.admitted(Client(web_socket), *rooms)

    async def admitted(self, client: Client, *rooms: str) -> Client:
        """The client after its CONNECT."""
        await client.enter()
        self.socket(client).join(*rooms)
        return client

    async def connection(self) -> HttpConnection:
        """A TCP connection on which nothing was said yet."""
        return await self._closing.enter_async_context(connect(self.endpoint))

    async def slow_connection(self) -> HttpConnection:
        """The same, and nothing is read on it but what the test asks for; its kernel holds little."""
        return await self._closing.enter_async_context(slow_connection(self.endpoint))

    async def refused(self, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to an opening of a WebSocket that is refused; the server then ends the connection."""
        connection = await self.connection()
        await connection.send(handshake(self.endpoint, headers))
        answer = await connection.answer()
        assert await connection.rest() == b""
        return answer

    # --- what the server holds -----------------------------------------------------------------------------------

    def socket(self, client: Client) -> Socket:
        """The server's side of it."""
        return self.server.of("/").rooms.sockets[client.id]

    def is_connected(self, client: Client) -> bool:
        return client.id in self.server.of("/").rooms.sockets

    def transport(self, client: Client) -> asyncio.Transport:
        """The server's side of its WebSocket."""
        transport = self.socket(client).client.session.transport
        return transport.transport

    def buffered(self, client: Client) -> int:
        """Bytes that the server holds for it, beside what the kernel holds."""
        return self.transport(client).get_write_buffer_size() if self.is_connected(client) else 0

    def is_empty(self) -> bool:
        """Whether nothing of any client is left."""
        engine = self.server.engine
        return not (
            engine.sessions
            or engine.fan_out.is_busy
            or engine.fan_out.slow
            or engine._by_address
            or engine.wheel._buckets
            or any(left_in(namespace.rooms) for namespace in self.server.namespaces.values())
        )


def left_in(rooms: Any) -> bool:
    return bool(rooms.sockets or rooms._rooms or rooms._everyone.sockets)


@asynccontextmanager
async def opened_stage() -> AsyncIterator[Stage]:
    async with AsyncExitStack() as closing:
        yield Stage(closing)


@asynccontextmanager
async def serving(sockets: Sockets) -> AsyncIterator[Endpoint]:
    """Serve until the end of the block."""
    stop = asyncio.Event()
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    port = listening.getsockname()[1]
    settings = Settings(listen_fd=listening.detach())
    task = asyncio.create_task(serve(nothing_else, settings, stop, sockets))
    try:
        yield Endpoint(port, "/socket.io/")
    finally:
        stop.set()
        await task


async def nothing_else(scope: Any, receive: Any, send: Any) -> None:
    """The app beside the sockets."""
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


@asynccontextmanager
async def slow_connection(endpoint: Endpoint) -> AsyncIterator[HttpConnection]:
    """A TCP connection that reads only on demand: else what it is sent stays with the server."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", endpoint.port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=1024)
    try:
        yield HttpConnection(reader, writer)
    finally:
        writer.transport.abort()


async def until(found: Callable[[], object], *, seconds: float = DEADLINE_SECONDS) -> None:
    """Wait until it is true; AssertionError when time is up."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not found():
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds:.0f} s"
        await asyncio.sleep(0.001)


async def turns(count: int = 10) -> None:
    """Let everything that waits for its turn of the loop have it."""
    for _ in range(count):
        await asyncio.sleep(0)


async def within(awaited: Awaitable[Any], seconds: float = DEADLINE_SECONDS) -> Any:
    """What it comes to; TimeoutError when time is up."""
    async with asyncio.timeout(seconds):
        return await awaited
