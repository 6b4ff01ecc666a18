"""How a namespace reaches its sockets: those of this process, or those of every server of a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol, TypeAlias

import msgspec

OnClientCount: TypeAlias = Callable[[int], None]
OnAck: TypeAlias = Callable[[Any], None]


class BroadcastOptions(msgspec.Struct, frozen=True):
    """To whom: sockets in any of `rooms`, or all if none is named, but none that is in a room of `except_`.

    `flags` as in Node: volatile, local (this process only), timeout (milliseconds), compress (ignored). And `latest`:
    of messages of one name to the same rooms only the newest matters. Node's servers drop a volatile message for a
    client that is busy, and do not make up for it; one with `latest` they deliver like any other.
    """

    rooms: tuple[str, ...] = ()
    except_: tuple[str, ...] = msgspec.field(name="except", default=())
    flags: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])

    @property
    def is_volatile(self) -> bool:
        """A client that does not keep up gets the newest once it does; one that was away is not sent it again."""
        return bool(self.flags.get("volatile") or self.flags.get("latest"))


class RemoteSocket(msgspec.Struct, frozen=True):
    """A socket somewhere in the cluster, as it was when asked for."""

    id: str
    rooms: list[str]
    data: Any = None
    handshake: Any = None


class SavedSession(msgspec.Struct, frozen=True):
    """What connection state recovery needs of a socket that lost its connection. The fields are Node's."""

    sid: str
    pid: str
    rooms: list[str]
    data: Any = None


class Restored(msgspec.Struct, frozen=True):
    """A session, and what was sent to its rooms meanwhile: each an event, its arguments and an offset, oldest first."""

    session: SavedSession
    missed: list[list[Any]]


class LocalSocket(Protocol):
    """A socket of this process, for an adapter."""

    @property
    def id(self) -> str: ...
    @property
    def pid(self) -> str | None: ...
    @property
    def rooms(self) -> Collection[str]: ...
    @property
    def data(self) -> dict[str, Any]: ...
    @property
    def handshake(self) -> dict[str, Any]: ...
    def join(self, *rooms: str) -> None: ...
    def leave(self, *rooms: str) -> None: ...
    def disconnect(self, close: bool = False) -> None: ...


class LocalNamespace(Protocol):
    """What an adapter may do in this process."""

    @property
    def name(self) -> str: ...
    @property
    def recovery_ms(self) -> int: ...
    @property
    def is_behind(self) -> bool: ...
    def deliver(self, data: list[Any], opts: BroadcastOptions, *, offset: str | None = None) -> None: ...
    def deliver_with_ack(
        self, data: list[Any], opts: BroadcastOptions, on_client_count: OnClientCount, on_ack: OnAck
    ) -> None: ...
    def matching(self, opts: BroadcastOptions) -> Sequence[LocalSocket]: ...
    def serve(self, data: list[Any], respond: Callable[[Any], None] | None) -> None: ...


class Adapter(Protocol):
    """One for each namespace. What it does elsewhere may fail; then it raises what its transport raises."""

    async def broadcast(self, data: list[Any], opts: BroadcastOptions) -> None: ...
    async def broadcast_with_ack(
        self, data: list[Any], opts: BroadcastOptions, on_client_count: OnClientCount, on_ack: OnAck
    ) -> None: ...
    async def add_sockets(self, opts: BroadcastOptions, rooms: Sequence[str]) -> None: ...
    async def remove_sockets(self, opts: BroadcastOptions, rooms: Sequence[str]) -> None: ...
    async def disconnect_sockets(self, opts: BroadcastOptions, close: bool) -> None: ...
    async def fetch_sockets(self, opts: BroadcastOptions) -> list[RemoteSocket]: ...
    async def server_side_emit(self, data: list[Any]) -> None: ...
    async def server_side_emit_with_ack(self, data: list[Any], timeout_seconds: float) -> list[Any]: ...
    async def server_count(self) -> int: ...

    def connected(self, socket: LocalSocket) -> None:
        """A socket that can be recovered has connected, or has other rooms or data now."""
        ...

    def dropped(self, socket: LocalSocket) -> None:
        """It has lost its connection and may come back."""
        ...

    def left(self, socket: LocalSocket) -> None:
        """It went for good."""
        ...

    async def restore(self, pid: str, offset: str | None) -> Restored | None:
        """The session and all it missed; None if anything of it is not known any more.

        Without an offset: the client has been sent nothing that had one.
        Nothing is awaited after the last look at what was sent: what comes later is delivered live.
        """
        ...


AdapterFactory: TypeAlias = Callable[[LocalNamespace], Adapter]


class LocalAdapter:
    """One process and no other: nothing is published, and no session survives its connection."""

    def __init__(self, namespace: LocalNamespace) -> None:
        self._namespace = namespace

    async def broadcast(self, data: list[Any], opts: BroadcastOptions) -> None:
        self._namespace.deliver(data, opts)

    async def broadcast_with_ack(
        self, data: list[Any], opts: BroadcastOptions, on_client_count: OnClientCount, on_ack: OnAck
    ) -> None:
        self._namespace.deliver_with_ack(data, opts, on_client_count, on_ack)

    async def add_sockets(self, opts: BroadcastOptions, rooms: Sequence[str]) -> None:
        for socket in self._namespace.matching(opts):
            socket.join(*rooms)

    async def remove_sockets(self, opts: BroadcastOptions, rooms: Sequence[str]) -> None:
        for socket in self._namespace.matching(opts):
            socket.leave(*rooms)

    async def disconnect_sockets(self, opts: BroadcastOptions, close: bool) -> None:
        for socket in self._namespace.matching(opts):
            socket.disconnect(close)

    async def fetch_sockets(self, opts: BroadcastOptions) -> list[RemoteSocket]:
        return [remote(socket) for socket in self._namespace.matching(opts)]

    async def server_side_emit(self, data: list[Any]) -> None:
        pass

    async def server_side_emit_with_ack(self, data: list[Any], timeout_seconds: float) -> list[Any]:
        await asyncio.sleep(0)
        return []

    async def server_count(self) -> int:
        return 1

    def connected(self, socket: LocalSocket) -> None:
        pass

    def dropped(self, socket: LocalSocket) -> None:
        pass

    def left(self, socket: LocalSocket) -> None:
        pass

    async def restore(self, pid: str, offset: str | None) -> Restored | None:
        return None


def remote(socket: LocalSocket) -> RemoteSocket:
    """A socket of this process as others see it."""
    return RemoteSocket(socket.id, list(socket.rooms), socket.data, socket.handshake)
