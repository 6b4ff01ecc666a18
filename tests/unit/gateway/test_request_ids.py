"""Ids of requests on their way into the log."""

from __future__ import annotations

from typing import Any

import pytest
import structlog

from tiebreak.http_edge.request_ids import with_request_ids


async def logged_for(headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    """What a line would carry that is logged while such a request is answered."""
    seen: dict[str, Any] = {}

    async def app(_scope: object, _receive: object, _send: object) -> None:
        seen.update(structlog.contextvars.get_contextvars())

    await with_request_ids(app)({"type": "http", "headers": headers}, None, None)
    return seen


async def test_id_is_in_the_log() -> None:
    """The gateway's id stands in every line of the request, and in none after it."""
    assert (await logged_for([(b"host", b"x"), (b"x-request-id", b"4f7-a.b")]))["request_id"] == "4f7-a.b"
    assert "request_id" not in structlog.contextvars.get_contextvars()


@pytest.mark.parametrize("value", [b"", b"a" * 129, b'x" level="error', "ü".encode(), b"two words"])
async def test_what_is_no_id(value: bytes) -> None:
    """What could be anything but an id is left out."""
    assert "request_id" not in await logged_for([(b"x-request-id", value)])


async def test_no_gateway() -> None:
    """Without a gateway there is none."""
    assert "request_id" not in await logged_for([])


async def test_no_request() -> None:
    """Other ASGI scopes have no headers."""

    async def app(_scope: object, _receive: object, _send: object) -> None:
        return

    await with_request_ids(app)({"type": "lifespan"}, None, None)
