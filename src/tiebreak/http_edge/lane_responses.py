"""Heads of responses on lanes: most of one is the same as the last one's, up to the date."""

from __future__ import annotations

from collections.abc import Sequence

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

OK = b"content-type: application/json\r\ncontent-length: %d\r\n"
CLOSE = b"connection: close\r\n"

# As uvicorn keeps them: names and values.
Headers = Sequence[tuple[bytes, bytes]]


class ResponseHeads:
    """Makes heads, their empty line included, and keeps those of a 200 by the length of its content.

    `common` is what all responses have in common: uvicorn makes a new list each second, for the date, and so long the
    heads are good.
    """

    def __init__(self) -> None:
        self._common_of: Headers | None = None
        self._common = b""
        self._ok: dict[int, bytes] = {}

    def ok(self, length: int, common: Headers, keep_alive: bool) -> bytes:
        """Of a 200 with JSON of this length."""
        if common is self._common_of and keep_alive and (head := self._ok.get(length)):
            return head
        head = self.of(200, OK % length, common, keep_alive=keep_alive)
        if keep_alive:
            self._ok[length] = head
        return head

    def of(self, status: int, fields: bytes, common: Headers, *, keep_alive: bool) -> bytes:
        """Of any response; `fields` are its own headers, with their line ends."""
        if common is not self._common_of:
            self._common = b"".join([b"%b: %b\r\n" % header for header in common])
            self._common_of = common
            self._ok = {}
        return b"%b%b%b%b\r\n" % (STATUS_LINE[status], fields, self._common, b"" if keep_alive else CLOSE)
