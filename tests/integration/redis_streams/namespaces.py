"""A namespace that writes down what its adapter does to it: the seam between the two."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any

from tests.integration.redis_streams.waiting import until
from tiebreak.socket_adapter.socket_io.adapter import BroadcastOptions


class RecordingSocket:
    def __init__(self, namespace: RecordingNamespace, id_: str, pid: str | None, rooms: Sequence[str]) -> None:
        self.id = id_
        self.pid = pid
        self.data: dict[str, Any] = {}
        self.handshake: dict[str, Any] = {"headers": {"host": "here"}, "query": {"EIO": "4"}, "auth": {}, "issued": 1}
        self.joined = set(rooms)
        self._namespace = namespace
        self.received: list[list[Any]] = []

    @property
    def rooms(self) -> set[str]:
        return {self.id, *self.joined}

    def join(self, *rooms: str) -> None:
        self.joined |= set(rooms)
        self._namespace.happened.append(["joined", self.id, *rooms])

    def leave(self, *rooms: str) -> None:
        self.joined -= set(rooms)
        self._namespace.happened.append(["left", self.id, *rooms])

    def disconnect(self, close: bool = False) -> None:
        if self._namespace.sockets.pop(self.id, None):
            self._namespace.happened.append(["disconnected", self.id, close])
            self._namespace.adapter.left(self)


class RecordingNamespace:
    """`happened` has everything in its order; a delivered message is its data, with the offset if there is one."""

    def __init__(self, name: str = "/", recovery_ms: int = 20_000) -> None:
        self.name = name
        self.recovery_ms = recovery_ms
        self.is_behind = False
        self.adapter: Any = None
        self.sockets: dict[str, RecordingSocket] = {}
        self.happened: list[list[Any]] = []
        self.served: list[list[Any]] = []
        self.opts: list[BroadcastOptions] = []
        self.answer: Callable[[list[Any], Callable[[Any], None]], None] = lambda data, respond: respond(data[1:])
        self.acknowledge: Callable[[RecordingSocket, list[Any], Callable[[Any], None]], None] = (
            lambda socket, data, respond: respond(socket.id)
        )

    def socket(self, id_: str, *rooms: str, pid: str | None = None) -> RecordingSocket:
        self.sockets[id_] = RecordingSocket(self, id_, pid, rooms)
        return self.sockets[id_]

    def deliver(self, data: list[Any], opts: BroadcastOptions, *, offset: str | None = None) -> None:
        message = [*data, offset] if offset else list(data)
        self.happened.append(message)
        self.opts.append(opts)
        for socket in self.matching(opts):
            socket.received.append(message)

    def deliver_with_ack(
        self,
        data: list[Any],
        opts: BroadcastOptions,
        on_client_count: Callable[[int], None],
        on_ack: Callable[[Any], None],
    ) -> None:
        self.happened.append(list(data))
        sockets = self.matching(opts)
        on_client_count(len(sockets))
        for socket in sockets:
            self.acknowledge(socket, data, on_ack)

    def matching(self, opts: BroadcastOptions) -> list[RecordingSocket]:
        return [
            socket
            for socket in self.sockets.values()
            if (not opts.rooms or socket.rooms & set(opts.rooms)) and not socket.rooms & set(opts.except_)
        ]

    def serve(self, data: list[Any], respond: Callable[[Any], None] | None) -> None:
        self.served.append(data)
        if respond:
            self.answer(data, respond)

    async def got(self, *messages: list[Any]) -> None:
        """Wait until all of these were delivered, with or without an offset."""
        await until(lambda: all(message in self.happened or message in self.without_offsets for message in messages))

    @property
    def without_offsets(self) -> list[list[Any]]:
        return [message[:-1] for message in self.happened]

    @property
    def offsets(self) -> list[str]:
        return [message[-1] for message in self.happened if is_offset(message[-1])]


def is_offset(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\d{13}-\d+", value) is not None


async def settled() -> None:
    """All that was ready to run has run."""
    for _ in range(5):
        await asyncio.sleep(0)
