"""To whom an event goes, and how: chosen step by step, then emitted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from tiebreak.socket_adapter.socket_io.adapter import BroadcastOptions, RemoteSocket

if TYPE_CHECKING:
    from tiebreak.socket_adapter.socket_io.namespace import Namespace


class AcksMissing(TimeoutError):
    """Not all clients acknowledged in time; `responses` are those that did."""

    def __init__(self, responses: list[Any]) -> None:
        super().__init__(f"Not all clients acknowledged in time; {len(responses)} did.")
        self.responses = responses


class Broadcast:
    """Immutable: `to`, `except_` and the flags give a new one.

    What goes to other servers raises what the adapter's transport raises when they cannot be reached.
    """

    def __init__(self, namespace: Namespace, opts: BroadcastOptions) -> None:
        self._namespace = namespace
        self._opts = opts

    def to(self, *rooms: str) -> Broadcast:
        """Those in any of these rooms, too; nobody else."""
        return self._with(rooms=(*self._opts.rooms, *rooms))

    def except_(self, *rooms: str) -> Broadcast:
        """None who is in any of these rooms."""
        return self._with(except_=(*self._opts.except_, *rooms))

    @property
    def volatile(self) -> Broadcast:
        """Clients that do not keep up may miss it: they get the newest of its kind once they do."""
        return self._flagged("volatile", True)

    @property
    def latest(self) -> Broadcast:
        """The same, and clients of Node's servers do not miss it."""
        return self._flagged("latest", True)

    @property
    def local(self) -> Broadcast:
        """Clients of this process only."""
        return self._flagged("local", True)

    def timeout(self, seconds: float) -> Broadcast:
        """For emit_with_ack, which otherwise waits 5 seconds."""
        return self._flagged("timeout", round(seconds * 1000))

    async def emit(self, event: str, *arguments: Any) -> None:
        await self._namespace.adapter.broadcast([event, *arguments], self._opts)

    async def emit_with_ack(self, event: str, *arguments: Any) -> list[Any]:
        """The acknowledgements of all who got it, in the order they came. Raises AcksMissing."""
        opts = self._opts if "timeout" in self._opts.flags else self.timeout(5)._opts
        acks = Acknowledgements()
        await self._namespace.adapter.broadcast_with_ack(
            [event, *arguments], opts, acks.clients_counted, acks.acknowledged
        )
        acks.servers_expected(1 if opts.flags.get("local") else await self._namespace.adapter.server_count())
        try:
            async with asyncio.timeout(opts.flags["timeout"] / 1000):
                await acks.complete.wait()
        except TimeoutError:
            raise AcksMissing(acks.responses) from None
        return acks.responses

    async def sockets_join(self, *rooms: str) -> None:
        await self._namespace.adapter.add_sockets(self._opts, rooms)

    async def sockets_leave(self, *rooms: str) -> None:
        await self._namespace.adapter.remove_sockets(self._opts, rooms)

    async def disconnect_sockets(self, close: bool = False) -> None:
        """As Socket.disconnect, for all of them."""
        await self._namespace.adapter.disconnect_sockets(self._opts, close)

    async def fetch_sockets(self) -> list[RemoteSocket]:
        return await self._namespace.adapter.fetch_sockets(self._opts)

    def _with(self, **changes: Any) -> Broadcast:
        return Broadcast(self._namespace, msgspec.structs.replace(self._opts, **changes))

    def _flagged(self, name: str, value: object) -> Broadcast:
        return self._with(flags={**self._opts.flags, name: value})


@dataclass
class Acknowledgements:
    """Complete when every server has said how many clients it has, and every client has acknowledged."""

    responses: list[Any] = field(default_factory=list[Any])
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    _clients: int = 0
    _servers: int = 0
    _servers_expected: int | None = None

    def clients_counted(self, count: int) -> None:
        self._clients += count
        self._servers += 1
        self._check()

    def acknowledged(self, response: Any) -> None:
        self.responses.append(response)
        self._check()

    def servers_expected(self, count: int) -> None:
        self._servers_expected = count
        self._check()

    def _check(self) -> None:
        if self._servers == self._servers_expected and len(self.responses) == self._clients:
            self.complete.set()
