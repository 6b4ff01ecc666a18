"""A Socket.IO server of Node in the cluster, and what it says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.integration.redis_streams.namespaces import is_offset
from tests.integration.redis_streams.waiting import until
from tests.integration.socket_adapter.node import NodeProcess, node_process, node_redis_options

# As tests/node/cluster_server.mjs emits them: what arrives here.
VALUES = [
    {
        "whole": 7,
        "negative": -1,
        "half": 0.5,
        "big": 2**53 - 1,
        "bigger": 1e300,
        "negative_big": -(2**40),
        "none": None,
    },
    "ä€😀",
    [True, [], {}],
]
BYTES = [b"\x00\xff{", {"deep": [b"\x01\x02"]}, None, {"gone": None}]


class JsClient:
    """A client of socket.io-client. `received` are its messages with their offsets.

    `recoveries` says of each of its connections whether it was a recovery.
    """

    def __init__(self, server: NodeServer, name: str) -> None:
        self._server = server
        self.name = name
        self.received: list[list[Any]] = []
        self.connections: list[str] = []
        self.recoveries: list[bool] = []
        self.disconnections: list[str] = []

    def __repr__(self) -> str:
        return f"{self.name}: {self.connections} {self.recoveries} {self.disconnections} {self.received[-3:]}"

    @property
    def got(self) -> list[list[Any]]:
        """Its messages without offsets."""
        return [message[:-1] if is_offset(message[-1]) else message for message in self.received]

    async def call(self, *message: Any) -> Any:
        return await self._server.ask("call", client=self.name, message=message)

    async def close(self) -> None:
        await self._server.ask("close", client=self.name)

    def hear(self, said: dict[str, Any]) -> None:
        match said:
            case {"message": message}:
                self.received.append(message)
            case {"connected": id_, "recovered": recovered}:
                self.connections.append(id_)
                self.recoveries.append(recovered)
            case {"disconnected": reason}:
                self.disconnections.append(reason)


class NodeServer:
    """`told` is what other servers have emitted to servers. Its process has clients too, to any server."""

    def __init__(self, process: NodeProcess, port: int, said: list[dict[str, Any]]) -> None:
        self._process = process
        self.url = f"http://127.0.0.1:{port}"
        self.said = said
        self._clients: dict[str, JsClient] = {}

    async def ask(self, do: str, **told: Any) -> Any:
        return await self._process.ask(do, **told)

    async def told(self, *message: Any) -> None:
        await until(lambda: list(message) in [said.get("told") for said in self.said])

    async def client(self, url: str, name: str = "client", **options: Any) -> JsClient:
        """One that is connected, by WebSocket if nothing else is said."""
        client = JsClient(self, f"{name} {len(self._clients)}")
        self._clients[client.name] = client
        await self.ask("open", client=client.name, url=url, options={"transports": ["websocket"]} | options)
        return client

    def hear(self, said: dict[str, Any]) -> None:
        if client := self._clients.get(said.get("client", "")):
            client.hear(said)
        else:
            self.said.append(said)


@asynccontextmanager
async def node_server(redis_url: str, **options: Any) -> AsyncIterator[NodeServer]:
    """One that has begun; it reads the stream a moment later."""
    servers: list[NodeServer] = []
    arguments = (node_redis_options(redis_url), json.dumps(options))

    def hear(said: dict[str, Any]) -> None:
        servers[0].hear(said)

    async with node_process("cluster_server.mjs", *arguments, hear=hear) as (process, ready):
        servers.append(NodeServer(process, ready["port"], []))
        yield servers[0]
