"""The server of the crowd: `python -m bench.crowd.server GC`, told what to do line by line."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import socket
import sys
import time
from typing import Any

import uvloop

from bench.crowd.loop_watch import LoopWatch
from tiebreak.http_edge.serving import serve
from tiebreak.settings import Settings
from tiebreak.socket_adapter.garbage import tend_garbage
from tiebreak.socket_adapter.socket_io.server import Server
from tiebreak.socket_adapter.socket_io.socket import Socket

ROWS = [{"rank": rank, "name": f"Player {rank}", "score": 10_000 - rank, "correct": rank % 20} for rank in range(20)]
STALLED = "stalled"


class CrowdServer:
    """A socket joins the room its CONNECT asks for, and gets a board."""

    def __init__(self) -> None:
        self.server = Server()
        self._sockets = self.server.of("/")
        self._sockets.on_connection(self._welcome)
        self._stalled: list[Socket] = []
        self._largest_buffer = 0
        self.watch = LoopWatch()

    async def _welcome(self, joined: Socket) -> None:
        joined.join(joined.auth["room"])
        if joined.auth.get("stalls"):
            self._stalled.append(joined)
        await joined.emit("welcome", {"rows": ROWS})

    async def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Do it, and say what there was to measure since the last order."""
        figures: dict[str, Any] = {}
        match order["do"]:
            case "broadcast":
                await self._broadcast(order)
            case "close":
                await self.server.close()
            case "until":
                while len(self._sockets.rooms.sockets) != order["sockets"]:
                    await asyncio.sleep(0.02)
            case "start":
                self._largest_buffer = 0
                self.server.engine.counts.volatile_skipped = 0
                self.server.engine.counts.closed.clear()
            case other:
                assert other == "take"
        figures |= self.watch.take()
        figures["sockets"] = len(self._sockets.rooms.sockets)
        figures["stalled_largest_buffer"] = self._largest_buffer
        figures["volatile_skipped"] = self.server.engine.counts.volatile_skipped
        figures["closed"] = dict(self.server.engine.counts.closed)
        return figures

    async def _broadcast(self, order: dict[str, Any]) -> None:
        due = time.monotonic()
        for number in range(order["rounds"]):
            for room in order["rooms"]:
                chosen = self._sockets.to(room) if room else self._sockets
                chosen = chosen.volatile if order.get("volatile") else chosen
                await chosen.emit("board", time.monotonic_ns(), {"version": number, "rows": ROWS})
                if order.get("spread"):
                    due += order["every_seconds"] / len(order["rooms"])
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
            if not order.get("spread"):
                due += order["every_seconds"]
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            for stalled in self._stalled:
                if stalled.is_connected:
                    transport = stalled.client.session.route
                    buffered = transport.get_write_buffer_size() if transport else 0
                    self._largest_buffer = max(self._largest_buffer, buffered)


async def main(garbage: str) -> None:
    crowd = CrowdServer()
    counts = crowd.server.engine.counts
    tending = None
    if garbage == "tended":
        tending = asyncio.create_task(
            tend_garbage(lambda: counts.sessions_opened, lambda: len(crowd.server.engine.sessions))
        )
    elif garbage == "frozen":
        gc.collect()
        gc.freeze()
    elif garbage == "rare":
        gc.set_threshold(50_000, 50, 1_000)
        gc.freeze()
    elif garbage == "off":
        gc.disable()
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(nothing_else, Settings(listen_fd=listening.detach()), stop, crowd.server))
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        print(json.dumps(await crowd.obey(json.loads(line))), flush=True)
    stop.set()
    await serving
    if tending:
        tending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await tending


async def nothing_else(scope: dict[str, Any], receive: object, send: object) -> None:
    raise RuntimeError(f"The bench asks for sockets only, not for {scope['path']}")


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
