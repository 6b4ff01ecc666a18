"""The Socket.IO server. The one module that knows python-socketio; a core of our own will take its place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar, cast

import msgspec
import socketio
import structlog
from engineio.payload import Payload
from socketio.exceptions import ConnectionRefusedError as Unwelcome

from tiebreak.errors import Fault, Refusal, Refused

log = structlog.get_logger()

MAX_MESSAGE_BYTES = 16 * 1024
# As many as fit into MAX_MESSAGE_BYTES. A client that polls sends all it has saved up at once; python-engineio alone
# would take only 16 and break the connection over more.
MAX_MESSAGES_PER_REQUEST = 256
NAMESPACE = "/"
# python-socketio counts those it has not let in yet among "all": this room has only those who were.
EVERYBODY = "everybody"


Identity = TypeVar("Identity")
Asgi: TypeAlias = Callable[..., Awaitable[None]]


class Connection(msgspec.Struct, Generic[Identity], frozen=True):
    """One client's socket, and who that is."""

    id: str
    identity: Identity


Authenticate: TypeAlias = Callable[[str | None], Awaitable[Identity | Refusal]]
Handler: TypeAlias = Callable[[Connection[Identity], Any], Awaitable[msgspec.Struct | None]]


class Failed(msgspec.Struct, frozen=True):
    """The acknowledgement of a message that was refused."""

    ok: bool
    code: str
    title: str


class SocketServer(Generic[Identity]):
    """Connections, their messages and their rooms, in this process."""

    def __init__(
        self,
        *,
        origin_allowed: Callable[[str, str | None], bool],
        authenticate: Authenticate[Identity],
        handlers: Mapping[type[Any], Handler[Identity]],
    ) -> None:
        """`origin_allowed` gets the Origin and the Host header; `handlers` are by type of message.

        A handler's result becomes the acknowledgement `{ok: true, …}`; Refused becomes `{ok: false, code, title}`.
        """

        def allowed(origin: str, environ: Mapping[str, str]) -> bool:
            return origin_allowed(origin, environ.get("HTTP_HOST"))

        self._authenticate = authenticate
        Payload.max_decode_packets = MAX_MESSAGES_PER_REQUEST
        self._server = socketio.AsyncServer(
            async_mode="asgi",
            cors_allowed_origins=allowed,
            cors_credentials=False,
            max_http_buffer_size=MAX_MESSAGE_BYTES,
            logger=False,
            engineio_logger=False,
        )
        self._server.on("connect", self._connect)
        for message, handler in handlers.items():
            self._server.on(message.event, self._receiver(message, handler))
        self._server.on("*", self._unknown)

    def mount(self, app: Asgi) -> Asgi:
        """An ASGI app that serves /socket.io/ itself and everything else by `app`."""
        return socketio.ASGIApp(self._server, other_asgi_app=app, socketio_path="socket.io")

    async def enter_room(self, connection: Connection[Identity], room: str) -> None:
        await self._server.enter_room(connection.id, room)

    async def leave_room(self, connection: Connection[Identity], room: str) -> None:
        await self._server.leave_room(connection.id, room)

    async def deliver(
        self, event: str, arguments: Sequence[object], *, rooms: Sequence[str], excluded: Sequence[str]
    ) -> None:
        """Write a message, once, to every socket of this process in any of `rooms`, or to all if none is named.

        Not to those that are in a room of `excluded`.
        """
        participants = self._server.manager.get_participants
        skipped = [sid for room in excluded for sid, _ in participants(NAMESPACE, room)]
        await self._server.emit(event, tuple(arguments), to=list(rooms) or [EVERYBODY], skip_sid=skipped)

    async def close(self) -> None:
        """Disconnect everyone: they come back to the next server by themselves."""
        await self._server.shutdown()

    async def _connect(self, sid: str, _environ: object, auth: object = None) -> None:
        if isinstance(await self._server.get_session(sid), Connection):
            # A message that a client named "connect": who a socket belongs to never changes.
            return
        token = cast("dict[str, object]", auth).get("token") if isinstance(auth, dict) else None
        try:
            identity = await self._authenticate(token if isinstance(token, str) else None)
        except Fault as fault:
            log.warning("socket.unavailable", code=fault.code)
            identity = Refusal.UNAVAILABLE
        if isinstance(identity, Refusal):
            raise Unwelcome(identity.title, {"code": identity.code})
        await self._server.save_session(sid, Connection(sid, identity))
        await self._server.enter_room(sid, EVERYBODY)

    def _receiver(self, message: type[Any], handler: Handler[Identity]) -> Callable[..., Awaitable[object]]:
        async def receive(sid: str, *arguments: object) -> object:
            connection: Connection[Identity] = await self._server.get_session(sid)
            try:
                if len(arguments) != 1:
                    raise Refused(Refusal.REQUEST_INVALID, f"{message.event} takes one argument, an object.")
                result = await handler(connection, msgspec.convert(arguments[0], message))
            except Refused as refused:
                return msgspec.to_builtins(Failed(False, refused.refusal.code, refused.refusal.title))
            except (msgspec.ValidationError, RecursionError) as error:
                return msgspec.to_builtins(Failed(False, Refusal.REQUEST_INVALID.code, str(error)))
            except Exception as error:
                temporary = isinstance(error, Fault) and error.temporary
                log.error("message.failed", message=message.event, exc_info=error)
                refusal = Refusal.UNAVAILABLE if temporary else Refusal.INTERNAL
                return msgspec.to_builtins(Failed(False, refusal.code, refusal.title))
            fields: dict[str, object] = msgspec.to_builtins(result) if result else {}
            return {"ok": True, **fields}

        return receive

    async def _unknown(self, event: str, sid: str, *_: object) -> object:
        return msgspec.to_builtins(Failed(False, Refusal.MESSAGE_UNKNOWN.code, f"There is no message {event[:40]!r}"))
