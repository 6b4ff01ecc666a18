"""Our counterpart of tests/node/cluster_server.mjs, without the clients: `python server.py redis://…`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import structlog
import uvicorn
import uvloop

from tiebreak.http_edge.connections import HttpConnection
from tiebreak.http_edge.serving import Server as HttpServer
from tiebreak.redis_client import open_redis
from tiebreak.socket_adapter.engine_io.options import EngineOptions
from tiebreak.socket_adapter.redis_streams.streams import RedisStreams
from tiebreak.socket_adapter.socket_io.broadcast import AcksMissing, Broadcast
from tiebreak.socket_adapter.socket_io.namespace import Namespace
from tiebreak.socket_adapter.socket_io.server import Server, SocketOptions
from tiebreak.socket_adapter.socket_io.socket import Socket

RECOVERY_SECONDS = 20.0


def say(line: dict[str, Any]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


async def welcome(socket: Socket) -> None:
    if not socket.recovered:
        socket.data["server"] = "ours"
        socket.changed()


async def join(socket: Socket, arguments: list[Any]) -> list[Any]:
    socket.join(*arguments[0])
    return [sorted(socket.rooms)]


async def ask(socket: Socket, arguments: list[Any]) -> list[Any]:
    return [{"server": "ours", "question": arguments[0], "recovered": socket.recovered}]


async def keep(socket: Socket, arguments: list[Any]) -> list[Any]:
    socket.data |= arguments[0]
    socket.changed()
    return [socket.data]


def serve_events(namespace: Namespace) -> None:
    async def told(arguments: list[Any]) -> None:
        say({"namespace": namespace.name, "told": arguments})

    async def asked(arguments: list[Any]) -> object:
        return {"server": "ours", "question": arguments[0]}

    namespace.on_connection(welcome)
    namespace.on("join", join)
    namespace.on("ask", ask)
    namespace.on("data", keep)
    namespace.on_server_side("told", told)
    namespace.on_server_side("asked", asked)


class Commands:
    """What the test asks for, by name."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def _chosen(self, told: dict[str, Any]) -> Broadcast:
        whom = self._server.of("/").to(*told.get("rooms", ())).except_(*told.get("except", ()))
        return whom.volatile if "volatile" in told.get("flags", ()) else whom

    async def emit(self, told: dict[str, Any]) -> None:
        for event, *arguments in told["messages"]:
            await self._chosen(told).emit(event, *arguments)

    async def emit_bytes(self, told: dict[str, Any]) -> None:
        await self._chosen(told).emit(told["event"], b"\x00\xff{", {"deep": [b"\x01\x02"]})

    async def emit_with_ack(self, told: dict[str, Any]) -> dict[str, Any]:
        try:
            whom = self._chosen(told).timeout(told.get("timeout", 5_000) / 1_000)
            return {"answers": await whom.emit_with_ack(*told["message"])}
        except AcksMissing as missing:
            return {"missing": str(missing), "answers": missing.responses}

    async def sockets_join(self, told: dict[str, Any]) -> None:
        await self._chosen(told).sockets_join(*told["others"])

    async def sockets_leave(self, told: dict[str, Any]) -> None:
        await self._chosen(told).sockets_leave(*told["others"])

    async def disconnect_sockets(self, told: dict[str, Any]) -> None:
        await self._chosen(told).disconnect_sockets(told.get("close", False))

    async def fetch_sockets(self, told: dict[str, Any]) -> list[Any]:
        return [msgspec.to_builtins(socket) for socket in await self._chosen(told).fetch_sockets()]

    async def server_side_emit(self, told: dict[str, Any]) -> None:
        await self._server.of("/").server_side_emit(*told["message"])

    async def server_side_emit_with_ack(self, told: dict[str, Any]) -> dict[str, Any]:
        return {"answers": await self._server.of("/").server_side_emit_with_ack(*told["message"])}

    async def server_count(self, _: dict[str, Any]) -> int:
        return await self._server.of("/").adapter.server_count()


async def converse(commands: Commands) -> None:
    """Until our standard input ends."""
    reader = asyncio.StreamReader(limit=1 << 22)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks = set[asyncio.Task[None]]()

    async def carry_out(told: dict[str, Any]) -> None:
        command: Callable[[dict[str, Any]], Coroutine[Any, Any, Any]] = getattr(commands, told["do"])
        try:
            say({"id": told["id"], "result": await command(told)})
        except Exception as error:
            say({"id": told["id"], "error": repr(error)})

    async for line in reader:
        task = asyncio.create_task(carry_out(json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def not_found(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def main(redis_url: str) -> None:
    redis = await open_redis(redis_url)
    streams = RedisStreams(redis)
    server = Server(
        SocketOptions(recovery_seconds=RECOVERY_SECONDS),
        EngineOptions(ping_interval_seconds=2.0, ping_timeout_seconds=1.0),
        streams.adapter,
    )
    serve_events(server.of("/"))
    await streams.start()
    config = uvicorn.Config(
        server.mount(not_found),
        http=HttpConnection,
        ws=server.web_socket(),
        loop="uvloop",
        lifespan="off",
        log_config=None,
        port=0,
    )
    http = HttpServer(config)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(streams.run())
        serving = group.create_task(http.serve())
        await streams.until_counted()
        while not http.started:
            await asyncio.sleep(0.01)
        say({"port": http.servers[0].sockets[0].getsockname()[1]})
        await converse(Commands(server))
        http.should_exit = True
        await server.close()
        await streams.close()
        await serving
        running.cancel()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    uvloop.run(main(sys.argv[1]))
