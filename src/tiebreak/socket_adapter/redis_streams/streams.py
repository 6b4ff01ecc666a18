"""A process among the servers of a cluster."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import NamedTuple

import structlog

from tiebreak.clock import Clock, SystemClock
from tiebreak.redis_client import Redis, RedisError
from tiebreak.socket_adapter.redis_streams.adapter import ClusterAdapter
from tiebreak.socket_adapter.redis_streams.appending import MAX_LENGTH, Appender
from tiebreak.socket_adapter.redis_streams.channels import Publisher, Subscriptions
from tiebreak.socket_adapter.redis_streams.counts import Counts
from tiebreak.socket_adapter.redis_streams.inbox import Inbox
from tiebreak.socket_adapter.redis_streams.messages import Disconnection, MessageType
from tiebreak.socket_adapter.redis_streams.reader import StreamReader
from tiebreak.socket_adapter.redis_streams.recovery import Recovery
from tiebreak.socket_adapter.redis_streams.requests import Requests
from tiebreak.socket_adapter.redis_streams.ring import Ring
from tiebreak.socket_adapter.redis_streams.session_format import StoredSession
from tiebreak.socket_adapter.redis_streams.sessions import Sessions
from tiebreak.socket_adapter.redis_streams.stream_ids import Gap
from tiebreak.socket_adapter.redis_streams.stream_names import stream_of, streams_read, streams_written
from tiebreak.socket_adapter.redis_streams.wire import encode_payload
from tiebreak.socket_adapter.socket_io.adapter import BroadcastOptions, LocalNamespace, LocalSocket

log = structlog.get_logger()

CLOSE_SECONDS = 3.0


class Member(NamedTuple):
    """A namespace of this process; `ring` and `sessions` where sockets can be recovered."""

    namespace: LocalNamespace
    stream: str
    inbox: Inbox
    ring: Ring | None
    sessions: Sessions | None


class RedisStreams:
    """Joins the namespaces of this process to those of all servers on one Redis, Node's and ours.

    streams = RedisStreams(redis)
    server = Server(adapter=streams.adapter)
    await streams.start()                      # before sockets are let in
    group.create_task(streams.run())
    await server.close(); await streams.close()
    """

    def __init__(
        self,
        redis: Redis,
        *,
        stream: str = "socket.io",
        stream_count: int = 1,
        channel_prefix: str = "socket.io",
        session_prefix: str = "sio:session:",
        max_length: int = MAX_LENGTH,
        patience_seconds: float = 2.0,
        on_gap: Callable[[], None] = lambda: None,
        clock: Clock | None = None,
    ) -> None:
        """Names and numbers are the options of Node's adapter, and must be the same on all servers.

        A message that the stream has not taken after `patience_seconds` takes effect here alone. `on_gap` is called
        when messages are lost to the sockets here: clients should look for themselves how things are.
        """
        self.uid = secrets.token_hex(8)
        self.counts = Counts()
        self._redis = redis
        self._stream = stream
        self._stream_count = stream_count
        self._channel_prefix = channel_prefix
        self._session_prefix = session_prefix
        self._on_gap = on_gap
        self._clock = clock or SystemClock()
        self._appenders = {
            name: Appender(redis, name, self.uid, max_length=max_length, patience_seconds=patience_seconds)
            for name in streams_written(stream, stream_count)
        }
        self._reader = StreamReader(
            redis,
            streams_read(stream, stream_count),
            max_length=max_length,
            receive=self._read,
            on_gap=self._lost,
            is_behind=self._is_behind,
        )
        self._subscriptions = Subscriptions(redis, self._heard)
        self._publisher = Publisher(redis, self.counts)
        self._members: dict[str, Member] = {}
        self._by_name: dict[bytes, Member] = {}
        self._by_channel: dict[str, Member] = {}
        self._tasks: asyncio.TaskGroup | None = None

    def adapter(self, namespace: LocalNamespace) -> ClusterAdapter:
        """The adapter of a namespace, to be made once for each."""
        name = namespace.name
        stream = stream_of(name, self._stream, self._stream_count)
        appender = self._appenders[stream]
        requests = Requests()
        ring = Ring(self._reader.positions[stream]) if namespace.recovery_ms else None
        inbox = Inbox(
            namespace,
            uid=self.uid,
            appender=appender,
            publisher=self._publisher,
            channel_prefix=self._channel_prefix,
            requests=requests,
            ring=ring,
            counts=self.counts,
        )
        sessions = self._sessions(namespace, stream) if ring else None
        member = Member(namespace, stream, inbox, ring, sessions)
        self._members[name] = self._by_name[name.encode()] = member
        channels = [f"{self._channel_prefix}#{name}#", f"{self._channel_prefix}#{name}#{self.uid}#"]
        self._by_channel |= dict.fromkeys(channels, member)
        self._subscriptions.add(*channels)
        if self._tasks and sessions:
            self._tasks.create_task(sessions.run())
        return ClusterAdapter(
            namespace,
            self._redis,
            uid=self.uid,
            appender=appender,
            subscriptions=self._subscriptions,
            channel_prefix=self._channel_prefix,
            requests=requests,
            sessions=sessions,
            recovery=self._recovery(member),
            counts=self.counts,
        )

    async def start(self) -> None:
        """Learn where the streams end: what is appended from now on is read. Raises what Redis raises."""
        await self._reader.start()
        for member in self._members.values():
            if member.ring:
                member.ring.begin(self._reader.positions[member.stream])

    async def run(self) -> None:
        """Read, append, listen and save, for ever."""
        async with asyncio.TaskGroup() as self._tasks:
            self._tasks.create_task(self._reader.run())
            self._tasks.create_task(self._subscriptions.run())
            self._tasks.create_task(self._publisher.run())
            for appender in self._appenders.values():
                self._tasks.create_task(appender.run())
            for member in self._members.values():
                if member.sessions:
                    self._tasks.create_task(member.sessions.run())

    async def until_counted(self) -> None:
        """Wait until the other servers count this one among them. Raises TimeoutError."""
        await self._subscriptions.until_listening()

    async def close(self) -> None:
        """Save the sessions of sockets that were closed last, if Redis answers soon. Does not end `run`."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                for member in self._members.values():
                    if member.sessions:
                        await member.sessions.flush()
        except (RedisError, OSError) as error:
            log.warning("cluster.sessions_unsaved", error=str(error) or type(error).__name__)

    def _sessions(self, namespace: LocalNamespace, stream: str) -> Sessions:
        return Sessions(
            self._redis,
            prefix=self._session_prefix,
            uid=self.uid,
            recovery_ms=namespace.recovery_ms,
            clock=self._clock,
            counts=self.counts,
            position=lambda: self._reader.positions[stream],
            on_taken=_disconnect,
        )

    def _recovery(self, member: Member) -> Recovery | None:
        if not (member.ring and member.sessions):
            return None
        name = member.namespace.name

        def tell_holder(session: StoredSession) -> None:
            if session.holder and session.holder != self.uid:
                order = Disconnection(BroadcastOptions(rooms=(session.sid,)), close=True)
                payload = encode_payload(MessageType.DISCONNECT_SOCKETS, self.uid, name, order)
                self._publisher.publish(f"{self._channel_prefix}#{name}#{session.holder}#", payload)

        return Recovery(
            self._redis,
            self._reader,
            stream=member.stream,
            namespace=name,
            sessions=member.sessions,
            ring=member.ring,
            tell_holder=tell_holder,
        )

    def _read(self, stream: str, entry_id: str, fields: dict[bytes, bytes]) -> None:
        if member := self._by_name.get(fields.get(b"nsp", b"")):
            member.inbox.entry(entry_id, fields, in_order=stream == member.stream)

    def _heard(self, channel: str, payload: bytes) -> None:
        if member := self._by_channel.get(channel):
            member.inbox.payload(payload)

    def _lost(self, stream: str, gap: Gap) -> None:
        self.counts.add("gaps", f"{stream} is {gap.reason}, read on after {gap.position}", every=True)
        for member in self._members.values():
            if member.ring:
                member.ring.lose(self._reader.positions[member.stream])
            if member.sessions and gap.reason != "trimmed":
                member.sessions.save_all_again()
        try:
            self._on_gap()
        except Exception as error:
            self.counts.add("failed", f"on_gap: {error!r}", every=True)

    def _is_behind(self) -> bool:
        return any(member.namespace.is_behind for member in self._members.values())


def _disconnect(socket: LocalSocket) -> None:
    log.info("cluster.socket_taken", socket=socket.id)
    socket.disconnect(True)
