"""Engine.IO packets: the examples of the protocol, and whatever else may come."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiebreak.socket_adapter.engine_io.packets import (
    CLOSE,
    MESSAGE,
    NOOP,
    OPEN,
    PING,
    PONG,
    UPGRADE,
    Packet,
    PacketInvalid,
    binary_for_polling,
    decode_packet,
    decode_payload,
    encode_payload,
)

TYPES = [OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP]


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("0{}", Packet(OPEN, "{}")),
        ("1", Packet(CLOSE, "")),
        ("2", Packet(PING, "")),
        ("2probe", Packet(PING, "probe")),
        ("3probe", Packet(PONG, "probe")),
        ("4hello", Packet(MESSAGE, "hello")),
        ("4", Packet(MESSAGE, "")),
        ("4é€😀", Packet(MESSAGE, "é€😀")),
        ("5", Packet(UPGRADE, "")),
        ("6", Packet(NOOP, "")),
        ("bAQIDBA==", Packet(MESSAGE, b"\x01\x02\x03\x04")),
        ("b", Packet(MESSAGE, b"")),
    ],
)
def test_decode_packet(text, packet):
    """The first character is the type, the rest the data; "b" is a binary message in base64."""
    assert decode_packet(text) == packet


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "empty packet"),
        ("7", "unknown packet type"),
        ("a", "unknown packet type"),
        (" 4hello", "unknown packet type"),
        ("٤hello", "unknown packet type"),
        ("B", "unknown packet type"),
        ("bA", "not base64"),
        ("bAQIDBA", "not base64"),
        ("bAQ ID", "not base64"),
        ("bAQIDBA==AA", "not base64"),
        ("b\u00e9\u00e9\u00e9\u00e9", "not base64"),
        ("b-_-_", "not base64"),
    ],
)
def test_decode_packet_refuses(text, complaint):
    """Only the seven types and well-formed base64 pass."""
    with pytest.raises(PacketInvalid, match=complaint):
        decode_packet(text)


def test_decode_payload():
    """A body holds packets in order, text and binary."""
    assert decode_payload("4hello\x1e2\x1e4wörld\x1ebAQIDBA==".encode()) == [
        Packet(MESSAGE, "hello"),
        Packet(PING, ""),
        Packet(MESSAGE, "wörld"),
        Packet(MESSAGE, b"\x01\x02\x03\x04"),
    ]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "empty packet"),
        (b"\x1e", "empty packet"),
        (b"4a\x1e", "empty packet"),
        (b"4a\x1e\x1e4b", "empty packet"),
        (b"\x1e" * 1_000_000, "empty packet"),
        (b"4\xff", "not UTF-8"),
        (b"4\xed\xa0\x80", "not UTF-8"),
        (b"4a\x1e9", "unknown packet type"),
        (b"4a\x1eb!", "not base64"),
    ],
)
def test_decode_payload_refuses(body, complaint):
    """One bad packet spoils the body."""
    with pytest.raises(PacketInvalid, match=complaint):
        decode_payload(body)


def test_encode_payload():
    """Packets stand between separators, binary ones in base64 with padding, and an empty body is no packet."""
    assert encode_payload([b"4hello", b"2", binary_for_polling(b"\x01\x02\x03\x04")]) == b"4hello\x1e2\x1ebAQIDBA=="
    assert encode_payload([]) == b""


packets = st.one_of(
    st.builds(Packet, st.sampled_from(TYPES), st.text(st.characters(exclude_characters="\x1e", codec="utf-8"))),
    st.builds(Packet, st.just(MESSAGE), st.binary()),
)


def on_the_wire(packet):
    """The packet in its polling form."""
    return binary_for_polling(packet.data) if isinstance(packet.data, bytes) else "".join(packet).encode()


@given(st.lists(packets, min_size=1))
def test_payload_comes_back(sent):
    """What is encoded is what is decoded."""
    assert decode_payload(encode_payload(on_the_wire(packet) for packet in sent)) == sent


@given(st.binary())
def test_binary_is_plain_base64(data):
    """Any client's base64 reads it."""
    assert base64.b64decode(binary_for_polling(data)[1:], validate=True) == data


@given(st.text(st.characters()) | st.from_regex(r"[0-6b][^\x1e]*", fullmatch=True))
def test_decode_packet_raises_nothing_else(text):
    """Any text is a packet or PacketInvalid, lone surrogates too."""
    try:
        packet = decode_packet(text)
    except PacketInvalid:
        return
    assert packet.type in TYPES
    assert isinstance(packet.data, str) or packet.type == MESSAGE


@given(st.binary() | st.lists(st.sampled_from([b"4", b"\x1e", b"b", b"=", b"A", b"\xc3", b"\xa9"])).map(b"".join))
def test_decode_payload_raises_nothing_else(body):
    """Any body is packets or PacketInvalid."""
    try:
        packets = decode_payload(body)
    except PacketInvalid:
        return
    assert 1 <= len(packets) <= 5
