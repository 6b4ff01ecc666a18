"""How Engine.IO says no: the errors of a handshake and their HTTP answers."""

from __future__ import annotations

import enum
from http import HTTPStatus

import msgspec


class EngineRefusal(enum.Enum):
    """Code and message as in Node's engine.io, and the status they are sent with."""

    TRANSPORT_UNKNOWN = (0, "Transport unknown", 400)
    SESSION_UNKNOWN = (1, "Session ID unknown", 400)
    HANDSHAKE_METHOD = (2, "Bad handshake method", 400)
    BAD_REQUEST = (3, "Bad request", 400)
    ORIGIN = (4, "This origin is not allowed: add it to the allowed origins of the server", 403)
    TOO_MANY = (4, "Too many connections from this address: close some, or wait", 429)
    PROTOCOL_VERSION = (5, "Unsupported protocol version", 400)
    CLOSING = (4, "The server is shutting down: connect again", 503)
    PAYLOAD_TOO_LARGE = (3, "Payload too large", 413)
    UPGRADE_REQUIRED = (3, "Only version 13 of the WebSocket protocol is spoken here", 426)

    def __init__(self, code: int, message: str, status: int) -> None:
        self.code = code
        self.message = message
        self.status = status

    @property
    def body(self) -> bytes:
        return msgspec.json.encode({"code": self.code, "message": self.message})

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """What belongs to the answer beside its length."""
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        if self is EngineRefusal.UPGRADE_REQUIRED:
            headers += [(b"upgrade", b"websocket"), (b"connection", b"upgrade"), (b"sec-websocket-version", b"13")]
        if self in {EngineRefusal.TOO_MANY, EngineRefusal.CLOSING}:
            headers.append((b"retry-after", b"5"))
        return headers

    def response(self) -> bytes:
        """The whole HTTP answer, for a connection that is closed after it."""
        lines = [b"HTTP/1.1 %d %s" % (self.status, HTTPStatus(self.status).phrase.encode())]
        headers = [*self.headers, (b"content-length", b"%d" % len(self.body))]
        if self is not EngineRefusal.UPGRADE_REQUIRED:
            headers.append((b"connection", b"close"))
        lines += [b"%s: %s" % header for header in headers]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body
