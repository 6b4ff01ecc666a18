"""Heads of requests on lanes, read at once where nothing about them is out of the ordinary."""

from __future__ import annotations

from collections.abc import Collection
from types import SimpleNamespace

import msgspec
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from tiebreak.http_edge.bodies import LARGEST_BODY_BYTES
from tiebreak.http_edge.request_ids import request_id_of

END = b"\r\n\r\n"
# Far below the limits of HttpConnection, and more than browsers send.
MAX_HEAD_BYTES = 8 * 1024
MAX_LINES = 100
# What makes the way of a request another one.
EXTRAORDINARY = {b"transfer-encoding", b"expect", b"upgrade"}


class Head(msgspec.Struct, frozen=True):
    """What a lane wants to know of a POST's head. `text` ends with the empty line, `size` is the body's included."""

    text: bytes
    size: int
    path: bytes
    authorization: bytes | None
    request_id: str | None


def head_of(data: bytes, paths: Collection[bytes]) -> Head | None:
    """The head of the one request that is all of `data`; None if it takes the ordinary way.

    That is so if it is not a POST to one of the paths, is not complete or something follows, or if one of its headers
    asks for more than an answer. The parser's judgement counts, not ours: what it refuses goes the ordinary way too.
    """
    end = data.find(END, 0, MAX_HEAD_BYTES) + len(END)
    line = data[: data.find(b"\r\n")].split(b" ")
    if end < len(END) or len(line) != 3 or line[0] != b"POST" or line[2] != b"HTTP/1.1" or line[1] not in paths:
        return None
    text = data[:end]
    if text.count(b"\n") > MAX_LINES:
        return None
    spelled: dict[bytes, bytes] = {}
    # The dictionary's own method: of the same header twice the first counts, as everywhere.
    parser = HttpRequestParser(SimpleNamespace(on_header=spelled.setdefault))
    try:
        parser.feed_data(text)
    except (HttpParserError, HttpParserUpgrade):
        return None
    headers = {name.lower(): value for name, value in spelled.items()}
    # A body makes the parser wait for more. Without one it would have forgotten what it knows of the connection.
    length = int(headers.get(b"content-length", 0))
    if (
        not 0 < length <= LARGEST_BODY_BYTES
        or end + length != len(data)
        or len(headers) != len(spelled)
        or b"host" not in headers
        or not EXTRAORDINARY.isdisjoint(headers)
        or not parser.should_keep_alive()
    ):
        return None
    return Head(text, len(data), line[1], headers.get(b"authorization"), request_id_of(headers.items()))
