"""python-socketio on uvicorn and uvloop: `python -m bench.fanout.servers.python_socketio CONTROL MESSAGE`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import socketio
import uvicorn
import uvloop


async def main(control: str, event: str, board: dict[str, Any]) -> None:
    server = socketio.AsyncServer(async_mode="asgi")

    @server.event
    async def connect(sid: str, environ: dict[str, object], auth: object) -> None:
        await server.enter_room(sid, "room")

    config = uvicorn.Config(socketio.ASGIApp(server), port=0, lifespan="off", log_level="error")
    running = uvicorn.Server(config)

    async def triggered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while triggers := await reader.read(4096):
            for _ in triggers:
                board["version"] += 1
                await server.emit(event, board, room="room")
        writer.close()
        running.should_exit = True

    listener = config.bind_socket()
    listener.listen(2048)
    async with await asyncio.start_unix_server(triggered, control):
        print(f"port {listener.getsockname()[1]}", flush=True)
        await running.serve([listener])


if __name__ == "__main__":
    _, control, message = sys.argv
    uvloop.run(main(control, *json.loads(Path(message).read_bytes())))
