"""The adapter of one namespace: what concerns sockets of other servers too goes through Redis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tiebreak.redis_client import Redis
from tiebreak.socket_adapter.redis_streams.appending import Appender, NotAppended
from tiebreak.socket_adapter.redis_streams.channels import Subscriptions
from tiebreak.socket_adapter.redis_streams.counts import Counts
from tiebreak.socket_adapter.redis_streams.messages import (
    Broadcast,
    Disconnection,
    EventPacket,
    MessageData,
    MessageType,
    RoomChange,
    ServerSideEmit,
    SocketsWanted,
)
from tiebreak.socket_adapter.redis_streams.recovery import Recovery
from tiebreak.socket_adapter.redis_streams.requests import TIMEOUT_SECONDS, Requests
from tiebreak.socket_adapter.redis_streams.sessions import Sessions
from tiebreak.socket_adapter.redis_streams.wire import encode_entry, encode_payload
from tiebreak.socket_adapter.socket_io.adapter import (
    BroadcastOptions,
    LocalNamespace,
    LocalSocket,
    OnAck,
    OnClientCount,
    RemoteSocket,
    Restored,
    remote,
)


class ClusterAdapter:
    """Sends; what comes in goes to its Inbox.

    Broadcasts, joins, leaves and disconnections are appended to the stream and take effect, here as everywhere, when
    they are read from it: all servers see all of them in one order. If Redis does not take one in time it takes
    effect here alone.
    """

    def __init__(
        self,
        namespace: LocalNamespace,
        redis: Redis,
        *,
        uid: str,
        appender: Appender,
        subscriptions: Subscriptions,
        channel_prefix: str,
        requests: Requests,
        sessions: Sessions | None,
        recovery: Recovery | None,
        counts: Counts,
    ) -> None:
        """Without `sessions` and `recovery`, connection state recovery is off."""
        self._namespace = namespace
        self._redis = redis
        self._uid = uid
        self._appender = appender
        self._subscriptions = subscriptions
        self._public = f"{channel_prefix}#{namespace.name}#"
        self._requests = requests
        self._sessions = sessions
        self._recovery = recovery
        self._counts = counts

    async def broadcast(self, data: list[Any], opts: BroadcastOptions) -> None:
        """Returns when the sockets here have been sent it. Raises what msgspec raises for data that is no JSON."""
        if opts.flags.get("local"):
            self._namespace.deliver(data, opts)
            return
        message = encode_entry(Broadcast(opts, EventPacket(data, nsp=self._namespace.name)))
        try:
            await self._appender.append(self._namespace.name, MessageType.BROADCAST, message, until_read=True)
        except NotAppended as error:
            # Without an offset: nobody can be sent it again.
            self._counts.add("not_appended", error, every=True)
            self._namespace.deliver(data, opts)

    async def add_sockets(self, opts: BroadcastOptions, rooms: Sequence[str]) -> None:
        """Returns when it has been done here."""
        change = RoomChange(opts, tuple(rooms))
        await self._everywhere(MessageType.SOCKETS_JOIN, change, opts, lambda socket: socket.join(*rooms))

    async def remove_sockets(self, opts: BroadcastOptions, rooms: Sequence[str]) -> None:
        """Returns when it has been done here."""
        change = RoomChange(opts, tuple(rooms))
        await self._everywhere(MessageType.SOCKETS_LEAVE, change, opts, lambda socket: socket.leave(*rooms))

    async def disconnect_sockets(self, opts: BroadcastOptions, close: bool) -> None:
        """Returns when it has been done here."""
        change = Disconnection(opts, close)
        await self._everywhere(MessageType.DISCONNECT_SOCKETS, change, opts, lambda socket: socket.disconnect(close))

    async def broadcast_with_ack(
        self, data: list[Any], opts: BroadcastOptions, on_client_count: OnClientCount, on_ack: OnAck
    ) -> None:
        """`on_client_count` is called once for each server, `on_ack` for each client, until flags.timeout (ms).

        Raises what Redis raises, after it was delivered here. Not in the stream: not in the order of other broadcasts.
        """
        self._namespace.deliver_with_ack(data, opts, on_client_count, on_ack)
        if opts.flags.get("local"):
            return
        request_id = self._requests.broadcast(on_client_count, on_ack, seconds=_seconds(opts))
        packet = EventPacket(data, nsp=self._namespace.name)
        await self._publish(MessageType.BROADCAST, Broadcast(opts, packet, request_id))

    async def fetch_sockets(self, opts: BroadcastOptions) -> list[RemoteSocket]:
        """The sockets of all servers, ours first. Raises AnswersMissing, without ours, and what Redis raises."""
        here = [remote(socket) for socket in self._namespace.matching(opts)]
        if opts.flags.get("local"):
            return here

        async def ask(request_id: str) -> None:
            await self._publish(MessageType.FETCH_SOCKETS, SocketsWanted(opts, request_id))

        return here + await self._requests.gather(await self._other_servers(), ask, seconds=_seconds(opts))

    async def server_side_emit(self, data: list[Any]) -> None:
        """To the other servers. Raises what Redis raises."""
        await self._publish(MessageType.SERVER_SIDE_EMIT, ServerSideEmit(data))

    async def server_side_emit_with_ack(self, data: list[Any], timeout_seconds: float) -> list[Any]:
        """The answers of all other servers. Raises AnswersMissing and what Redis raises."""

        async def ask(request_id: str) -> None:
            await self._publish(MessageType.SERVER_SIDE_EMIT, ServerSideEmit(data, request_id))

        return await self._requests.gather(await self._other_servers(), ask, seconds=timeout_seconds)

    async def server_count(self) -> int:
        """Servers with this namespace, Node's and ours. Raises what Redis raises."""
        return 1 + await self._other_servers()

    def connected(self, socket: LocalSocket) -> None:
        """It connected, or its rooms changed: its session is saved within about a second."""
        if self._sessions:
            self._sessions.connected(socket)

    def dropped(self, socket: LocalSocket) -> None:
        """It lost its connection: call this while it still is in its rooms."""
        if self._sessions:
            self._sessions.dropped(socket)

    def left(self, socket: LocalSocket) -> None:
        """It will not come back: its session is deleted."""
        if self._sessions:
            self._sessions.left(socket)

    async def restore(self, pid: str, offset: str | None) -> Restored | None:
        """The session of a client that comes back, with all its rooms were sent since `offset`; else None.

        Await it directly, not in a task of its own, and put the socket into its rooms before anything else is
        awaited: what is read from then on comes by itself. Another server of ours that still holds a dead connection
        of this client closes it; one that is held here is the caller's to close.
        """
        if not (self._recovery and self._sessions):
            return None
        restored = await self._recovery.restore(pid, offset)
        if restored:
            self._sessions.release(pid)
        return restored

    async def _everywhere(
        self, type_: MessageType, change: MessageData, opts: BroadcastOptions, apply: Callable[[LocalSocket], None]
    ) -> None:
        if not opts.flags.get("local"):
            try:
                await self._appender.append(self._namespace.name, type_, encode_entry(change), until_read=True)
            except NotAppended as error:
                self._counts.add("not_appended", error, every=True)
            else:
                return
        for socket in list(self._namespace.matching(opts)):
            apply(socket)

    async def _other_servers(self) -> int:
        [(_, count)] = await self._redis.pubsub_numsub(self._public)
        return max(0, int(count) - self._subscriptions.listening(self._public))

    async def _publish(self, type_: MessageType, data: MessageData) -> None:
        await self._redis.publish(self._public, encode_payload(type_, self._uid, self._namespace.name, data))


def _seconds(opts: BroadcastOptions) -> float:
    timeout_ms = opts.flags.get("timeout")
    return timeout_ms / 1_000 if isinstance(timeout_ms, (int, float)) else TIMEOUT_SECONDS
