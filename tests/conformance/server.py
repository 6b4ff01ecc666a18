"""Our counterpart of tests/node/conformance_server.mjs: `python server.py '{"fast": {"ping_interval_ms": 300, …}, …}'`.

It listens once for every name, says {"fast": port, …} and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from typing import Any

import structlog
import uvicorn
import uvloop

from tiebreak.http_edge.connections import HttpConnection
from tiebreak.http_edge.serving import Server as HttpServer
from tiebreak.socket_adapter.engine_io.options import EngineOptions
from tiebreak.socket_adapter.engine_io.outgoing import BinaryMessage, message
from tiebreak.socket_adapter.engine_io.packets import Message
from tiebreak.socket_adapter.engine_io.server import EngineServer
from tiebreak.socket_adapter.engine_io.session import Session
from tiebreak.socket_adapter.engine_io.web_socket import WebSocket
from tiebreak.socket_adapter.socket_io.namespace import ConnectRefused, Namespace
from tiebreak.socket_adapter.socket_io.server import Server, SocketOptions
from tiebreak.socket_adapter.socket_io.socket import Socket, SocketGone

REFUSED_ORIGIN = "https://refused.example"
# The loop itself does not hold on to its tasks.
RUNNING: set[asyncio.Task[None]] = set()


class Echo:
    """Sends every message back."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def received(self, message_: Message) -> None:
        self._session.send(message(message_) if isinstance(message_, str) else BinaryMessage(message_))

    def route_changed(self) -> None:
        """Nothing is written past the session."""

    def closed(self, reason: str) -> None:
        """Nothing is kept about a session."""


async def welcome(socket: Socket) -> None:
    await socket.emit("auth", socket.auth)


async def send_back(socket: Socket, arguments: list[Any]) -> None:
    await socket.emit("message-back", *arguments)


async def acknowledge(_: Socket, arguments: list[Any]) -> list[Any]:
    return arguments


async def ask(socket: Socket, arguments: list[Any] | None = None) -> None:
    with contextlib.suppress(TimeoutError, SocketGone):
        await socket.emit("answered", await socket.emit_with_ack("question", *arguments or ()))


async def disconnect(socket: Socket, arguments: list[Any]) -> None:
    socket.disconnect(*arguments)


async def admit(socket: Socket) -> None:
    if socket.auth.get("token") != "right":
        raise ConnectRefused("Not authorized", {"code": "E1"})


def serve_events(namespace: Namespace) -> None:
    namespace.on_connection(welcome)
    for event, handler in {
        "message": send_back,
        "message-with-ack": acknowledge,
        "ask": ask,
        "disconnect-me": disconnect,
    }.items():
        namespace.on(event, handler)


def engine_options(path: str, times: dict[str, int]) -> EngineOptions:
    return EngineOptions(
        path=path,
        ping_interval_seconds=times["ping_interval_ms"] / 1000,
        ping_timeout_seconds=times["ping_timeout_ms"] / 1000,
        upgrade_timeout_seconds=times["upgrade_timeout_ms"] / 1000,
        max_payload=times["max_payload_bytes"],
        origin_allowed=lambda origin, _: origin != REFUSED_ORIGIN,
        # A limit that the reference does not have, and the tests of clients that read late reach.
        max_buffered_bytes=32_000_000,
    )


async def not_found(_: Any, __: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


async def listen(port: int = 0, **times: int) -> int:
    """Serve both protocols on a port, until the program ends."""
    engine = EngineServer(Echo, engine_options("/engine.io/", times))
    sockets = Server(
        SocketOptions(connect_timeout_seconds=times["connect_timeout_ms"] / 1000), engine_options("/socket.io/", times)
    )
    for name in ("/", "/custom"):
        serve_events(sockets.of(name))
    sockets.of("/members").admit_by(admit)
    sockets.of("/asking").on_connection(ask)

    config = uvicorn.Config(
        engine.mount(sockets.engine.mount(not_found)),
        http=HttpConnection,
        ws=both(engine, sockets.engine),
        lifespan="off",
        port=port,
        log_level="error",
    )
    listener = config.bind_socket()
    listener.listen(2048)
    RUNNING.add(asyncio.create_task(HttpServer(config).serve([listener])))
    return listener.getsockname()[1]


def both(first: EngineServer, second: EngineServer) -> Any:
    """A WebSocket belongs to the server whose path it names."""

    def protocol(**_uvicorn: object) -> WebSocket:
        return WebSocket(lambda request: first.route(request) or second.route(request))

    return protocol


async def main(listeners: dict[str, dict[str, int]]) -> None:
    ports = {name: await listen(**options) for name, options in listeners.items()}
    print(json.dumps(ports), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    # What it logs is a fault: standard error stays empty while all goes well.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    uvloop.run(main(json.loads(sys.argv[1])))
