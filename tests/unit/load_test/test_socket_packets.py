"""The framing, as in the examples of the protocol's description."""

from __future__ import annotations

import pytest

from tiebreak.load_test.socket_packets import (
    ConnectRefused,
    PacketInvalid,
    RefusedWhy,
    arguments_of,
    connect_packet,
    event_packet,
    event_start,
    refusal_of,
    socket_url,
)


def test_packets_that_are_sent():
    """CONNECT with the token, EVENT with a number."""
    assert connect_packet("abc") == b'40{"token":"abc"}'
    assert event_packet(12, "enter_session", {"quiz_session_id": "x"}) == (
        b'4212["enter_session",{"quiz_session_id":"x"}]'
    )


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'4312[{"ok":true}]', (12, b'[{"ok":true}]')),
        (b'42["a",1]', (None, b'["a",1]')),
        (b"430[]", (0, b"[]")),
    ],
)
def test_arguments(payload, expected):
    """The number, if there is one, and the JSON as it stands."""
    assert arguments_of(payload) == expected


@pytest.mark.parametrize("payload", [b"43", b"4312", b"43x[]", b"42/admin,[1]"])
def test_arguments_of_something_else(payload):
    """Other namespaces, attachments, nonsense."""
    with pytest.raises(PacketInvalid):
        arguments_of(payload)


def test_start_of_an_event_matches_no_other():
    """Neither a longer name nor a shorter one."""
    assert b'42["score_update",{}]'.startswith(event_start("score_update"))
    assert not b'42["score_updates",{}]'.startswith(event_start("score_update"))


def test_refusals():
    """Tiebreak's with its code, others without."""
    assert refusal_of(b'44{"message":"No","data":{"code":"too_many_sockets"}}') == ConnectRefused(
        "No", RefusedWhy("too_many_sockets")
    )
    assert refusal_of(b'44{"message":"No"}') == ConnectRefused("No")
    with pytest.raises(PacketInvalid):
        refusal_of(b'44"')


@pytest.mark.parametrize(
    ("origin", "url"),
    [
        ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/socket.io/?EIO=4&transport=websocket"),
        ("https://quiz.example/", "wss://quiz.example/socket.io/?EIO=4&transport=websocket"),
    ],
)
def test_socket_url(origin, url):
    """Encrypted where the origin is."""
    assert socket_url(origin) == url
