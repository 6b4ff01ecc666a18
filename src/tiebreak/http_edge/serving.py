"""An ASGI app on uvicorn, until told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from typing import Protocol, cast

import uvicorn

from tiebreak.http_edge.connections import AddressOf, HttpConnection, client_address
from tiebreak.http_edge.request_ids import with_request_ids
from tiebreak.settings import Settings

LAST_REQUESTS_SECONDS = 5
# What the kernel holds for a socket that does not read, beside what we hold ourselves (Linux).
UNSENT_BYTES = 128 * 1024
# Longer than clients and gateways keep an idle connection: the side that opened it should be the one to close it.
KEEP_ALIVE_SECONDS = 75

# Of every response: it is what we say it is, and nothing for other origins' pages to take in unasked; CORS is another
# matter. Pages have more (app_server/routes/web_client.py); HSTS is set where TLS ends.
HEADERS = [("X-Content-Type-Options", "nosniff"), ("Cross-Origin-Resource-Policy", "same-origin")]

# uvicorn and Litestar each have their own types for ASGI, and the two do not fit each other.
ASGIApplication = Callable[..., Awaitable[None]]


class Sockets(Protocol):
    """A server of sockets on the same port."""

    def mount(self, app: ASGIApplication) -> ASGIApplication:
        """The app, and beside it the requests that belong to sockets."""
        ...

    def web_socket(self, address_of: AddressOf) -> Callable[..., asyncio.Protocol]:
        """What becomes of a connection that asks to be a WebSocket."""
        ...

    async def close(self) -> None:
        """Close every socket."""
        ...


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process decides when to stop."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def listening_socket(settings: Settings) -> socket.socket:
    """The socket inherited from the supervisor, or a new one on host and port."""
    if settings.listen_fd is not None:
        listening = socket.socket(fileno=settings.listen_fd)
    else:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        listening = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        # Connections inherit it.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    return listening


async def serve(
    app: Callable[..., Awaitable[None]],
    settings: Settings,
    stop: asyncio.Event,
    sockets: Sockets | None = None,
    connection: Callable[..., HttpConnection] = HttpConnection,
) -> None:
    """Serve until `stop` is set. `connection` makes the protocol of each connection.

    Then go on for `settings.drain_seconds`, in which readiness is off and a gateway looks elsewhere; after that no
    connection is accepted any more, sockets are closed, and requests under way have LAST_REQUESTS_SECONDS to end.
    """
    address_of = client_address(settings.trusted_proxies)
    config = uvicorn.Config(
        with_request_ids(sockets.mount(app) if sockets else app),
        loop="uvloop",
        http=cast("type[asyncio.Protocol]", connection),
        ws=cast("type[asyncio.Protocol]", sockets.web_socket(address_of)) if sockets else "none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        headers=HEADERS,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=LAST_REQUESTS_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = Server(config)

    async def end() -> None:
        await stop.wait()
        await asyncio.sleep(settings.drain_seconds)
        server.should_exit = True
        if sockets:
            await sockets.close()

    async with asyncio.TaskGroup() as group:
        ending = group.create_task(end())
        await server.serve(sockets=[listening_socket(settings)])
        if not stop.is_set():
            raise RuntimeError("The HTTP server ended by itself.")
        # uvicorn does not know of sockets: they may still be closing.
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_REQUESTS_SECONDS):
                await ending
