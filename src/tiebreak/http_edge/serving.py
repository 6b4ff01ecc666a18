"""An ASGI app on uvicorn, until told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

import uvicorn

from tiebreak.http_edge.request_ids import with_request_ids
from tiebreak.settings import Settings

LAST_REQUESTS_SECONDS = 5
# Longer than clients and gateways keep an idle connection: the side that opened it should be the one to close it.
KEEP_ALIVE_SECONDS = 75

# uvicorn and Litestar each have their own types for ASGI, and the two do not fit each other.
ASGIApplication = Callable[..., Awaitable[None]]


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process decides when to stop."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def listening_socket(settings: Settings) -> socket.socket:
    """The socket inherited from the supervisor, or a new one on host and port."""
    if settings.listen_fd is not None:
        return socket.socket(fileno=settings.listen_fd)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family, backlog=2048)


async def serve(app: Callable[..., Awaitable[None]], settings: Settings, stop: asyncio.Event) -> None:
    """Serve until `stop` is set.

    Then go on for `settings.drain_seconds`, in which readiness is off and a gateway looks elsewhere; after that no
    connection is accepted any more, and requests under way have LAST_REQUESTS_SECONDS to end.
    """
    config = uvicorn.Config(
        with_request_ids(app),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=64 * 1024,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
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

    async with asyncio.TaskGroup() as group:
        ending = group.create_task(end())
        await server.serve(sockets=[listening_socket(settings)])
        if not stop.is_set():
            raise RuntimeError("The HTTP server ended by itself.")
        ending.cancel()
