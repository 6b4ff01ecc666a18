"""The id under which a gateway knows a request: in every line that is logged while the request is answered."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, cast

import structlog

HEADER = b"x-request-id"
# It may come from the client: nothing that could look like another field, or fill the logs.
PLAUSIBLE = re.compile(rb"[A-Za-z0-9._:-]{1,128}")

Headers = Iterable[tuple[bytes, bytes]]
Asgi = Callable[..., Awaitable[None]]


def with_request_ids(app: Asgi) -> Asgi:
    """The ASGI application, with `request_id` among the fields of whatever it logs."""

    async def identified(scope: dict[str, Any], receive: object, send: object) -> None:
        request_id = request_id_of(cast("Headers", scope.get("headers", ())))
        if request_id is None:
            await app(scope, receive, send)
            return
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await app(scope, receive, send)

    return identified


def request_id_of(headers: Headers) -> str | None:
    """The id of a request or a WebSocket's opening, if a gateway gave it one."""
    for name, value in headers:
        if name == HEADER:
            return value.decode("ascii") if PLAUSIBLE.fullmatch(value) else None
    return None
