"""Typed messages over Socket.IO's events: one argument in, one acknowledgement out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import structlog

from tiebreak.errors import Fault, Refusal, Refused
from tiebreak.socket_adapter.socket_io.namespace import Handler as EventHandler
from tiebreak.socket_adapter.socket_io.socket import Socket

log = structlog.get_logger()


class Failed(msgspec.Struct, frozen=True, omit_defaults=True):
    """The acknowledgement of a message that was refused; `detail` says what in it was wrong."""

    ok: bool
    code: str
    title: str
    detail: str = ""


def receiver(
    message: type[Any],
    handler: Callable[[Any, Any], Awaitable[msgspec.Struct | None]],
    outages: tuple[type[Exception], ...] = (),
) -> EventHandler:
    """A handler of events that takes one message of a type and acknowledges with what became of it.

    `handler` gets the socket's context and the message. `outages` are the exceptions that say a server we stand on is
    away.
    """

    async def receive(socket: Socket, arguments: list[Any]) -> Sequence[object]:
        try:
            if len(arguments) != 1:
                raise Refused(Refusal.REQUEST_INVALID, f"{message.event} takes one argument, an object.")
            result = await handler(socket.context, msgspec.convert(arguments[0], message))
        except Refused as refused:
            return [failed(refused.refusal, refused.detail)]
        except (msgspec.ValidationError, RecursionError) as error:
            return [failed(Refusal.REQUEST_INVALID, str(error))]
        except Exception as error:
            if isinstance(error, outages) or (isinstance(error, Fault) and error.temporary):
                log.warning("message.unavailable", message=message.event, error=f"{type(error).__name__}: {error}")
                return [failed(Refusal.UNAVAILABLE)]
            log.error("message.failed", message=message.event, exc_info=error)
            return [failed(Refusal.INTERNAL)]
        fields: dict[str, object] = msgspec.to_builtins(result) if result else {}
        return [{"ok": True, **fields}]

    return receive


def unknown(event: str) -> EventHandler:
    """The handler of what is no message of ours."""

    async def refuse(_socket: Socket, _arguments: list[Any]) -> Sequence[object]:
        return [failed(Refusal.MESSAGE_UNKNOWN, f"There is no message {str(event)[:40]!r}.")]

    return refuse


def failed(refusal: Refusal, detail: str | None = None) -> Failed:
    return Failed(False, refusal.code, refusal.title, detail or "")
