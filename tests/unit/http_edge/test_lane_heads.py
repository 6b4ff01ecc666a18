"""Which requests are read at once, and what is read of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiebreak.http_edge.lane_heads import head_of

PATHS = {b"/lane"}
GOOD = b"POST /lane HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


def with_header(line: bytes) -> bytes:
    return GOOD.replace(b"Host: x\r\n", b"Host: x\r\n" + line + b"\r\n")


def test_a_head() -> None:
    """What a lane wants to know is found, however it is spelled."""
    data = GOOD.replace(b"Host: x\r\n", b"HOST: x\r\nauthorization: Bearer t\r\nX-Request-ID: 7\r\n")
    head = head_of(data, PATHS)
    assert head
    assert (head.text + b"{}", head.size) == (data, len(data))
    assert (head.path, head.authorization, head.request_id) == (b"/lane", b"Bearer t", "7")


def test_a_head_with_the_least() -> None:
    """Nothing but Host and Content-Length is needed."""
    head = head_of(GOOD, PATHS)
    assert head
    assert (head.authorization, head.request_id) == (None, None)


def test_the_first_of_two() -> None:
    """As Litestar has it."""
    head = head_of(with_header(b"Authorization: a\r\nAuthorization: b"), PATHS)
    assert head
    assert head.authorization == b"a"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[:-1],
        GOOD + b"P",
        GOOD + GOOD,
        b"\r\n" + GOOD,
        GOOD.replace(b"POST", b"PUT"),
        GOOD.replace(b"POST", b"post"),
        GOOD.replace(b"POST ", b"POST  "),
        GOOD.replace(b"/lane", b"/lane/"),
        GOOD.replace(b"/lane", b"/lane?x"),
        GOOD.replace(b"/lane", b"http://x/lane"),
        GOOD.replace(b"HTTP/1.1", b"HTTP/1.0"),
        GOOD.replace(b"\r\n", b"\n"),
        GOOD.replace(b"Host: x\r\n", b""),
        GOOD.replace(b"Content-Length: 2\r\n", b""),
        GOOD.replace(b"Content-Length: 2", b"Content-Length: 0").removesuffix(b"{}"),
        GOOD.replace(b"Content-Length: 2\r\n\r\n{}", b"Content-Length: 65537\r\n\r\n" + b"x" * 65_537),
        with_header(b"Content-Length: 2"),
        with_header(b"Transfer-Encoding: chunked"),
        with_header(b"TRANSFER-ENCODING: chunked"),
        with_header(b"Expect: 100-continue"),
        with_header(b"Upgrade: websocket"),
        with_header(b"Connection: close"),
        with_header(b"connection: Keep-Alive, CLOSE"),
        with_header(b"Connection: keep-alive\r\nConnection: close"),
        with_header(b"Authorization: a\r\nauthorization: b"),
        with_header(b"A : b"),
        with_header(b"A: b\r\n c"),
        with_header(b"A: \0"),
        with_header(b"X: y\r\n" * 100 + b"X: y"),
        with_header(b"X: " + b"y" * 9_000),
    ],
)
def test_the_ordinary_way(data: bytes) -> None:
    """Whatever is out of the ordinary, or not all of it here, or more than one."""
    assert head_of(data, PATHS) is None


@given(st.binary(max_size=40), st.integers(0, len(GOOD)), st.integers(0, 20))
def test_any_bytes(noise: bytes, at: int, instead_of: int) -> None:
    """Never an exception; and what is found ends where the data ends."""
    data = GOOD[:at] + noise + GOOD[at + instead_of :]
    head = head_of(data, PATHS)
    if head:
        assert data.startswith(head.text)
        assert head.text.endswith(b"\r\n\r\n")
        assert b"\r\n\r\n" not in head.text[:-4]
        assert head.size == len(data)
