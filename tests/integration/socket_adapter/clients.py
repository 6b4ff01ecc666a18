"""Clients of two kinds, socket.io-client of Node and python-socketio, that keep what they are sent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import socketio

from tests.integration.socket_adapter.node import NodeProcess, node_process

Message = list[Any]
RECEIVED_SECONDS = 40.0


class Client:
    """A connected socket: `received` are its messages, each an event's name and its arguments."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.received: list[Message] = []
        self.connections: list[str] = []
        self.disconnections: list[str] = []

    def __repr__(self) -> str:
        return self.name

    async def call(self, *message: Any) -> Any:
        """What the server acknowledges the message with."""
        raise NotImplementedError

    async def until(self, found: Callable[[], object], seconds: float = RECEIVED_SECONDS) -> None:
        """Wait until it is true; AssertionError, with the last messages, when time is up."""
        try:
            async with asyncio.timeout(seconds):
                while not found():
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(
                f"{self}: not within {seconds:.0f} s; {len(self.received)} messages, the last: {self.received[-3:]}, "
                f"disconnected {self.disconnections}"
            ) from None

    async def got(self, *messages: Message) -> None:
        """Wait until it has all of these."""
        await self.until(lambda: all(message in self.received for message in messages))


class JsClient(Client):
    """One of the clients in a process of Node."""

    def __init__(self, name: str, node: NodeProcess) -> None:
        super().__init__(name)
        self._node = node

    async def open(self, url: str, token: str | None, **options: Any) -> dict[str, Any]:
        """`{connected: id}`, or `{refused: message, data}`."""
        auth = {} if token is None else {"auth": {"token": token}}
        return await self._node.ask("open", client=self.name, url=url, options=auth | options)

    async def call(self, *message: Any) -> Any:
        return (await self.calls([list(message)]))[0]

    async def calls(self, messages: Sequence[Message]) -> list[Any]:
        """The acknowledgements of messages that are all sent in the same turn."""
        return await self._node.ask("call", client=self.name, messages=messages)

    async def transport(self) -> str:
        """The name of the transport now."""
        return await self._node.ask("transport", client=self.name)

    async def recovered(self) -> bool:
        """Whether it came back as the socket it was."""
        return await self._node.ask("recovered", client=self.name)

    async def log_in_as(self, token: str) -> None:
        """Be another user from the next connection on."""
        await self._node.ask("log_in_as", client=self.name, token=token)

    async def cut(self) -> None:
        """Close the connection as a phone does that changes networks; it connects again."""
        await self._node.ask("cut", client=self.name)

    async def close(self) -> None:
        await self._node.ask("close", client=self.name)

    def hear(self, said: dict[str, Any]) -> None:
        if "message" in said:
            self.received.append(without_offset(said["message"]))
        elif "connected" in said:
            self.connections.append(said["connected"])
        else:
            self.disconnections.append(said["disconnected"])


class JsClients:
    """A process of Node and its clients."""

    def __init__(self) -> None:
        self._node: NodeProcess
        self._clients: dict[str, JsClient] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[JsClients]:
        async with node_process("clients.mjs", hear=self._hear) as (self._node, _):
            yield self

    def client(self, name: str = "JS") -> JsClient:
        """A new one, not connected yet."""
        client = JsClient(f"{name} {uuid4()}", self._node)
        self._clients[client.name] = client
        return client

    def _hear(self, said: dict[str, Any]) -> None:
        self._clients[said["client"]].hear(said)


class PythonClient(Client):
    """A client of python-socketio."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._client = socketio.AsyncClient(reconnection=False)
        self._client.on("*", self._keep)
        self._client.on("disconnect", self.disconnections.append)

    async def open(self, url: str, token: str, **options: Any) -> None:
        await self._client.connect(url, auth={"token": token}, **options)
        self.connections.append(self._client.get_sid())

    async def call(self, *message: Any) -> Any:
        event, *arguments = message
        return await self._client.call(event, tuple(arguments))

    async def close(self) -> None:
        await self._client.disconnect()

    def _keep(self, *message: Any) -> None:
        self.received.append(without_offset(list(message)))


def without_offset(message: Message) -> Message:
    """The message without the place in the stream that follows its arguments, for connection state recovery."""
    last = message[-1]
    return message[:-1] if isinstance(last, str) and re.fullmatch(r"\d{13}-\d+", last) else message
