"""The opening handshake of a WebSocket (RFC 6455, section 4.2)."""

from __future__ import annotations

import base64
import binascii
import hashlib

from tiebreak.socket_adapter.engine_io.refusals import EngineRefusal
from tiebreak.socket_adapter.engine_io.request import Request

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY_BYTES = 16


def opening_error(request: Request) -> EngineRefusal | None:
    """Why the request cannot become a WebSocket, if so. No extension and no subprotocol is ever agreed upon."""
    headers = request.headers
    if request.method != "GET" or request.version != "1.1" or "host" not in headers:
        return EngineRefusal.BAD_REQUEST
    if headers.get("upgrade", "").lower() != "websocket" or "upgrade" not in tokens(headers.get("connection", "")):
        return EngineRefusal.BAD_REQUEST
    if headers.get("sec-websocket-version") != "13":
        return EngineRefusal.UPGRADE_REQUIRED
    try:
        key = base64.b64decode(headers.get("sec-websocket-key", ""), validate=True)
    except (binascii.Error, ValueError):
        return EngineRefusal.BAD_REQUEST
    return None if len(key) == KEY_BYTES else EngineRefusal.BAD_REQUEST


def opening_answer(request: Request) -> bytes:
    """The 101 for a request without an opening error."""
    key = request.headers["sec-websocket-key"].encode()
    accept = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept
        + b"\r\n\r\n"
    )


def tokens(value: str) -> set[str]:
    return {token.strip().lower() for token in value.split(",")}
