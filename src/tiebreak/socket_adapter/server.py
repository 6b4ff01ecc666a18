"""Tiebreak's sockets: who may connect and for how long, and typed messages instead of events with arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Generic, TypeAlias, cast
from uuid import UUID

import msgspec
import structlog

from tiebreak.clock import Clock
from tiebreak.errors import Fault, Refusal, Refused
from tiebreak.metrics import SocketFigures
from tiebreak.socket_adapter.connection import Connection, Identity
from tiebreak.socket_adapter.engine_io.long_polling import App
from tiebreak.socket_adapter.engine_io.options import EngineOptions, OriginAllowed
from tiebreak.socket_adapter.engine_io.web_socket import AddressOf, WebSocket
from tiebreak.socket_adapter.messages import Removed, RenewToken, RoomMessage, payload_of
from tiebreak.socket_adapter.redis_streams.requests import AnswersMissing
from tiebreak.socket_adapter.socket_io.adapter import AdapterFactory, BroadcastOptions, LocalAdapter, RemoteSocket
from tiebreak.socket_adapter.socket_io.namespace import ConnectRefused, Namespace
from tiebreak.socket_adapter.socket_io.server import Server, SocketOptions
from tiebreak.socket_adapter.socket_io.socket import Socket
from tiebreak.socket_adapter.typed_messages import receiver, unknown

log = structlog.get_logger()

MAX_MESSAGE_BYTES = 16 * 1024
# From the opening of a connection to the CONNECT with its token.
CONNECT_SECONDS = 5.0
# A phone that changes networks, or is asleep for a moment, comes back as the same socket.
RECOVERY_SECONDS = 120.0
# Far more than anybody taps; a client above it is read more slowly.
MESSAGES_PER_SECOND = 20.0
MESSAGE_BURST = 60
MAX_HANDLING = 16
# How long other servers are waited for that say who is in a room.
MEMBERS_MS = 1_000


class Limits(msgspec.Struct, frozen=True):
    """How many sockets there may be at once in this process. A school is often one address."""

    sockets_per_address: int
    sockets_per_user: int


class SocketData(msgspec.Struct, frozen=True):
    """What every server may know of a socket of ours."""

    user_id: UUID


Authenticate: TypeAlias = Callable[[str | None], Awaitable[Identity | Refusal]]
Handler: TypeAlias = Callable[[Connection[Identity], Any], Awaitable[msgspec.Struct | None]]


class SocketServer(Generic[Identity]):
    """Connections, their messages and their rooms, in this process."""

    def __init__(
        self,
        *,
        origin_allowed: OriginAllowed,
        authenticate: Authenticate[Identity],
        handlers: Mapping[type[Any], Handler[Identity]],
        limits: Limits,
        clock: Clock,
        adapter: AdapterFactory = LocalAdapter,
        on_recovered: Callable[[Collection[str]], None] = lambda _: None,
        outages: tuple[type[Exception], ...] = (),
    ) -> None:
        """`origin_allowed` gets the Origin and the Host header; `handlers` are by type of message.

        `on_recovered` gets the rooms of a client that has come back to them.
        A handler's result becomes the acknowledgement `{ok: true, …}`; Refused becomes `{ok: false, code, title}`.
        `outages` are the exceptions that say a server we stand on is away: the code is "unavailable" then.
        """
        self._authenticate = authenticate
        self._limits = limits
        self._clock = clock
        self._by_user: dict[UUID, list[Connection[Identity]]] = {}
        # Those just being let in among them. About 50 bytes each.
        self._connections: set[Connection[Identity]] = set()
        self.server = Server(
            SocketOptions(
                connect_timeout_seconds=CONNECT_SECONDS,
                recovery_seconds=0 if adapter is LocalAdapter else RECOVERY_SECONDS,
                messages_per_second=MESSAGES_PER_SECOND,
                message_burst=MESSAGE_BURST,
                max_handling=MAX_HANDLING,
                max_waiting=MESSAGE_BURST,
            ),
            EngineOptions(
                max_payload=MAX_MESSAGE_BYTES,
                origin_allowed=origin_allowed,
                sessions_per_address=limits.sockets_per_address,
            ),
            adapter,
        )
        sockets = self.sockets
        sockets.admit_by(self._admit)
        sockets.on_disconnect(self._left)
        sockets.on_recovered(lambda socket: on_recovered(socket.joined))
        for message, handler in {RenewToken: self._renew, **handlers}.items():
            sockets.on(message.event, receiver(message, handler, outages))
        sockets.on_any(unknown)

    @property
    def sockets(self) -> Namespace:
        """All of them."""
        return self.server.of("/")

    def mount(self, app: App) -> App:
        """An ASGI app that serves /socket.io/ itself, and everything else by `app`."""
        return self.server.mount(app)

    def web_socket(self, address_of: AddressOf) -> Callable[..., WebSocket]:
        """What uvicorn makes of connections that become WebSockets."""
        return self.server.web_socket(address_of)

    def rooms(self) -> list[str]:
        """Those that sockets of this process are in."""
        return self.sockets.rooms.names()

    def count_in(self, room: str) -> int:
        """How many sockets of this process are in it."""
        return self.sockets.rooms.count(room)

    def users_in(self, room: str) -> set[UUID]:
        """Whose sockets of this process are in it."""
        members = self.sockets.rooms.matching(BroadcastOptions((room,)))
        return {cast("Connection[Identity]", socket.context).identity.user_id for socket in members}

    def round_trip_seconds(self, user_id: UUID) -> float | None:
        """The shortest measured for a user's sockets of this process; None if there are none, or none was yet."""
        measured = [it.round_trip_seconds for it in self._by_user.get(user_id, ())]
        return min((it for it in measured if it is not None), default=None)

    async def count_servers(self) -> int:
        """How many share the rooms, this one included. Raises what Redis raises."""
        return await self.sockets.adapter.server_count()

    async def members(self, room: str) -> dict[str, UUID]:
        """The sockets in a room, on all servers, with their users. Without those of servers that do not answer in time.

        Raises what Redis raises.
        """
        opts = BroadcastOptions((room,), flags={"timeout": MEMBERS_MS})
        try:
            found = await self.sockets.adapter.fetch_sockets(opts)
        except AnswersMissing as missing:
            here = BroadcastOptions((room,), flags={"local": True})
            found = [*missing.answers, *await self.sockets.adapter.fetch_sockets(here)]
        return {it.id: user_id for it in found if (user_id := user_of(it)) is not None}

    async def send_away(self, socket_ids: Sequence[str], room: str, message: Removed) -> None:
        """Tell sockets, wherever they are, why, and take them out of a room. Raises what Redis raises."""
        theirs = tuple(socket_ids)
        said = BroadcastOptions(theirs, flags={"latest": True})
        await self.sockets.adapter.broadcast([message.event, message], said)
        await self.sockets.adapter.remove_sockets(BroadcastOptions(theirs), [room])

    def deliver_here(self, room: str, message: RoomMessage) -> None:
        """Send it to the sockets of this process that are in the room; other servers have their own."""
        self.sockets.deliver([message.event, payload_of(message)], BroadcastOptions((room,), flags={"latest": True}))

    def figures(self, adapter: Mapping[str, int]) -> SocketFigures:
        """For the metrics; `adapter` is what the adapter counts itself."""
        engine, rooms = self.server.engine, self.sockets.rooms
        return SocketFigures(
            connections=len(engine.sessions),
            sockets=len(rooms.sockets),
            rooms=len(rooms.names()),
            received=engine.counts.messages_received,
            delivered=engine.counts.messages_delivered,
            skipped=engine.counts.volatile_skipped,
            throttled=self.server.counts.throttled,
            recovered=self.server.counts.recovered,
            closed=engine.counts.closed,
            refused=engine.counts.refused,
            adapter=adapter,
        )

    def close_logins(self, login_ids: Collection[UUID]) -> int:
        """Close the sockets of these log-ins, and how many they are.

        All connections are looked at, 2 ms for 10,000 of them: name those that ended together at once.
        """
        ended = [connection for connection in self._connections if connection.identity.login_id in login_ids]
        for connection in ended:
            connection.close()
        return len(ended)

    def count_opened(self) -> int:
        """Connections since the start."""
        return self.server.engine.counts.sessions_opened

    def count_open(self) -> int:
        """Connections there are now."""
        return len(self.server.engine.sessions)

    async def close(self) -> None:
        """Close every connection: clients come back to the next server by themselves."""
        await self.server.close()

    async def _admit(self, socket: Socket) -> None:
        token = socket.auth.get("token")
        try:
            identity = await self._authenticate(token if isinstance(token, str) else None)
        except Fault as fault:
            log.warning("socket.unavailable", code=fault.code)
            identity = Refusal.UNAVAILABLE
        if not isinstance(identity, Refusal):
            theirs = self._by_user.get(identity.user_id, ())
            if len(theirs) >= self._limits.sockets_per_user:
                identity = Refusal.TOO_MANY_SOCKETS
        if isinstance(identity, Refusal):
            self.server.engine.counts.count_refused(identity.code)
            raise ConnectRefused(identity.title, {"code": identity.code})
        # It has served, and is nothing to keep for the life of the socket.
        socket.auth.pop("token", None)
        # Kept while the socket is away: nobody but the same user takes it up again.
        socket.data["user_id"] = str(identity.user_id)
        connection = Connection(socket, identity)
        connection.last(self._life_seconds(identity))
        socket.context = connection
        self._connections.add(connection)
        self._by_user.setdefault(identity.user_id, []).append(connection)

    def _left(self, socket: Socket, _reason: str) -> None:
        connection = cast("Connection[Identity]", socket.context)
        connection.forget()
        self._connections.discard(connection)
        user_id = connection.identity.user_id
        theirs = self._by_user[user_id]
        theirs.remove(connection)
        if not theirs:
            del self._by_user[user_id]

    async def _renew(self, connection: Connection[Identity], message: RenewToken) -> None:
        """A newer token of the same user."""
        identity = await self._authenticate(message.token)
        if isinstance(identity, Refusal):
            raise Refused(identity)
        if identity.user_id != connection.identity.user_id:
            raise Refused(Refusal.TOKEN_INVALID, "It is another user's. Connect anew as that user.")
        if not connection.is_open:
            return
        connection.identity = identity
        connection.last(self._life_seconds(identity))

    def _life_seconds(self, identity: Identity) -> float:
        return max(0.0, identity.expires_at - self._clock.now_ms() / 1000)


def user_of(socket: RemoteSocket) -> UUID | None:
    """Whose it is; None if it is not one of ours (a Node server's, of something else on the same Redis)."""
    try:
        return msgspec.convert(socket.data, SocketData).user_id
    except msgspec.ValidationError:
        return None
