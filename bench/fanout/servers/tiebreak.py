"""Our server: `python -m bench.fanout.servers.tiebreak CONTROL MESSAGE`.

Connections and the garbage collector are treated as in the app server.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from tiebreak.http_edge.connections import HttpConnection
from tiebreak.socket_adapter.garbage import tend_garbage
from tiebreak.socket_adapter.socket_io.server import Server
from tiebreak.socket_adapter.socket_io.socket import Socket


async def nothing_else(scope: dict[str, Any], receive: object, send: object) -> None:
    raise RuntimeError(f"The bench asks for sockets only, not for {scope['path']}")


async def main(control: str, event: str, board: dict[str, Any]) -> None:
    server = Server()
    namespace = server.of("/")

    async def connected(socket: Socket) -> None:
        socket.join("room")

    namespace.on_connection(connected)

    config = uvicorn.Config(
        server.mount(nothing_else),
        http=HttpConnection,
        ws=server.web_socket(),
        lifespan="off",
        port=0,
        log_level="error",
    )
    running = uvicorn.Server(config)

    async def triggered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while triggers := await reader.read(4096):
            for _ in triggers:
                board["version"] += 1
                await namespace.to("room").emit(event, board)
        writer.close()
        running.should_exit = True

    listener = config.bind_socket()
    listener.listen(2048)
    counts, sessions = server.engine.counts, server.engine.sessions
    tending = asyncio.create_task(tend_garbage(lambda: counts.sessions_opened, lambda: len(sessions)))
    async with await asyncio.start_unix_server(triggered, control):
        print(f"port {listener.getsockname()[1]}", flush=True)
        await running.serve([listener])
    tending.cancel()


if __name__ == "__main__":
    _, control, message = sys.argv
    uvloop.run(main(control, *json.loads(Path(message).read_bytes())))
