"""Heads of responses on lanes: as HTTP has it, and no older than they may be."""

from __future__ import annotations

from tiebreak.http_edge.lane_responses import ResponseHeads

NOON, LATER = [(b"date", b"noon"), (b"server", b"x")], [(b"date", b"later")]
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def test_a_200() -> None:
    """Each time the length is that of its content, and the common headers are in it."""
    heads = ResponseHeads()
    for length in (2, 93, 2):
        expected = OK + b"content-length: %d\r\ndate: noon\r\nserver: x\r\n\r\n" % length
        assert heads.ok(length, NOON, True) == expected


def test_the_date() -> None:
    """What was made under an earlier one is not used again, whoever asks first under the new one."""
    heads = ResponseHeads()
    for common in (NOON, LATER, NOON):
        date = common[0][1]
        assert b"\r\ndate: %b\r\n" % date in heads.ok(2, common, True)
        assert b"\r\ndate: %b\r\n" % date in heads.ok(3, common, True)
    heads.of(503, b"", LATER, keep_alive=True)
    assert b"date: later" in heads.ok(2, LATER, True)


def test_the_last_one() -> None:
    """A head that announces the connection's end is for that response alone."""
    heads = ResponseHeads()
    for keep_alive in (True, False, True, False):
        assert (b"\r\nconnection: close\r\n\r\n" in heads.ok(2, NOON, keep_alive)) is not keep_alive


def test_any_other() -> None:
    """Its own headers come before the common ones."""
    head = ResponseHeads().of(503, b"retry-after: 1\r\n", LATER, keep_alive=False)
    assert head == (b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ndate: later\r\nconnection: close\r\n\r\n")
