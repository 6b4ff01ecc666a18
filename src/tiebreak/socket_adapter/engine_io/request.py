"""The HTTP request that opened a session, kept small: it lives as long as the session."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from urllib.parse import parse_qsl

OPENING_ONLY = (b"sec-websocket-", b"connection:", b"upgrade:", b"pragma:", b"cache-control:", b"accept-encoding:")


class Request:
    """Method, query and headers of a request. The headers stay as they came until somebody asks for one."""

    __slots__ = ("_head", "_query", "address", "method", "path", "secure", "version")

    def __init__(
        self, method: str, path: str, query: str, head: bytes, *, address: str, secure: bool, version: str = "1.1"
    ) -> None:
        """`head` has a line `name: value` for each header, ended by CR LF. `address` is the client's, without port."""
        # Thousands of sessions begin with the same words.
        self.method = sys.intern(method)
        self.path = sys.intern(path)
        self.address = address
        self.secure = secure
        self.version = sys.intern(version)
        self._query = sys.intern(query)
        self._head = head

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the URL; of one that is there twice, the last."""
        return dict(parse_qsl(self._query, keep_blank_values=True))

    @property
    def url(self) -> str:
        return f"{self.path}?{self._query}" if self._query else self.path

    @property
    def headers(self) -> dict[str, str]:
        """By lower-case name; of one that is there twice, the values joined by a comma (RFC 9110, 5.3)."""
        headers: dict[str, str] = {}
        for line in self._head.split(b"\r\n"):
            name, colon, value = line.partition(b":")
            if colon:
                key, text = name.decode("latin-1").lower(), value.strip(b" \t").decode("latin-1")
                headers[key] = f"{headers[key]}, {text}" if key in headers else text
        return headers

    def shed(self) -> None:
        """Forget the headers that were for the opening of the connection only."""
        lines = self._head.split(b"\r\n")
        self._head = b"\r\n".join(line for line in lines if not line.lower().startswith(OPENING_ONLY))


def head_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as ASGI has them, in the form Request keeps."""
    return b"".join(b"%s: %s\r\n" % header for header in headers)


def parse_request(data: bytes, *, address: str, secure: bool) -> Request:
    """A whole request head, up to its empty line. Raises ValueError if it is none."""
    first_line, _, head = data.partition(b"\r\n")
    method, target, version = first_line.decode("latin-1").split(" ")
    path, _, query = target.partition("?")
    return Request(method, path, query, head.removesuffix(b"\r\n"), address=address, secure=secure, version=version[5:])
