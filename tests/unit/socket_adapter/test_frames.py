"""WebSocket frames: RFC 6455 line by line, and the `websockets` library's opinion."""

import struct
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from websockets.frames import CloseCode
from websockets.protocol import Protocol, Side, State

from tiebreak.socket_adapter.engine_io.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameInvalid,
    FrameReader,
    binary_frame,
    close_frame,
    parse_close,
    ping_frame,
    pong_frame,
    text_frame,
)

LIMIT = 1_000
FIN = 0x80
KEY = b"\x37\xfa\x21\x3d"


def length_field(size):
    """A length in its shortest form, without the mask bit."""
    if size < 126:
        return bytes([size])
    return struct.pack(">BH", 126, size) if size <= 0xFFFF else struct.pack(">BQ", 127, size)


def masked(first, payload=b"", key=KEY, *, length=None):
    """A client's frame, written the plain way, one byte after the other. `length` stands in place of the true one."""
    length = length or length_field(len(payload))
    body = bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
    return bytes([first, length[0] | 0x80]) + length[1:] + key + body


def read(*chunks, limit=LIMIT):
    """All that comes out of the chunks; last the close code, if they break the protocol."""
    reader = FrameReader(limit)
    out = []
    for chunk in chunks:
        reader.feed(chunk)
        try:
            while (message := reader.next()) is not None:
                out.append(message)
        except FrameInvalid as invalid:
            return [*out, invalid.code]
    return out


def one_by_one(data):
    """The same bytes, each in a piece of its own."""
    return [bytes([byte]) for byte in data]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", (TEXT, "Hello")),  # the RFC's own example, section 5.7
        (masked(FIN | TEXT), (TEXT, "")),
        (masked(FIN | TEXT, "κόσμε 😀".encode()), (TEXT, "κόσμε 😀")),
        (masked(FIN | BINARY), (BINARY, b"")),
        (masked(FIN | BINARY, b"\x00\xff"), (BINARY, b"\x00\xff")),
        (masked(FIN | BINARY, b"\x00\xff\x00\xff", key=b"\0\0\0\0"), (BINARY, b"\x00\xff\x00\xff")),
        *((masked(FIN | TEXT, b"x" * size), (TEXT, "x" * size)) for size in (1, 2, 3, 4, 5, 125, 126, 127, 999, 1_000)),
        (masked(FIN | PING), (PING, b"")),
        (masked(FIN | PING, b"\xff" * 125), (PING, b"\xff" * 125)),
        (masked(FIN | PONG, b"late"), (PONG, b"late")),
        (masked(FIN | CLOSE), (CLOSE, b"")),
        (masked(FIN | CLOSE, b"\x03\xe8bye"), (CLOSE, b"\x03\xe8bye")),
    ],
)
def test_one_frame(frame, message):
    """A frame is one message, whether it comes at once or byte by byte."""
    assert read(frame) == [message]
    assert read(*one_by_one(frame)) == [message]


@pytest.mark.parametrize("size", [0xFFFF, 0x10000, 1_000_000])
def test_long_frames(size):
    """Lengths of 2 and of 8 bytes."""
    payload = bytes(range(256)) * (size // 256) + b"\0" * (size % 256)
    assert read(masked(FIN | BINARY, payload), limit=1_000_000) == [(BINARY, payload)]


def test_several_frames_at_once():
    """What comes together comes out one by one, and only when asked for."""
    reader = FrameReader(LIMIT)
    reader.feed(masked(FIN | TEXT, b"a") + masked(FIN | PING) + masked(FIN | TEXT, b"\xff"))
    assert reader.next() == (TEXT, "a")
    assert reader.next() == (PING, b"")
    with pytest.raises(FrameInvalid):
        reader.next()


def test_feed_before_the_last_is_read():
    """Bytes may be fed while messages wait."""
    reader = FrameReader(LIMIT)
    reader.feed(masked(FIN | TEXT, b"a") + masked(FIN | TEXT, b"b"))
    assert reader.next() == (TEXT, "a")
    reader.feed(masked(FIN | TEXT, b"c"))
    reader.feed(masked(FIN | TEXT, b"d"))
    assert [reader.next() for _ in range(4)] == [(TEXT, "b"), (TEXT, "c"), (TEXT, "d"), None]


def test_fragments():
    """Fragments are joined, also empty ones and characters cut in two; control frames come in between."""
    euro = "€".encode()
    assert read(
        masked(TEXT, b"a" + euro[:1]),
        masked(FIN | PING, b"1"),
        masked(0),
        masked(0, euro[1:2]) + masked(FIN | PONG),
        masked(FIN, euro[2:]) + masked(BINARY) + masked(FIN),
        masked(BINARY, b"\xff") + masked(FIN, b"\xfe") + masked(FIN | TEXT, b"z"),
    ) == [(PING, b"1"), (PONG, b""), (TEXT, "a€"), (BINARY, b""), (BINARY, b"\xff\xfe"), (TEXT, "z")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x01a", 1002),  # not masked
        (b"\x81\x00", 1002),
        *((masked(FIN | reserved | TEXT, b"a"), 1002) for reserved in (0x10, 0x20, 0x40, 0x70)),
        *((masked(FIN | opcode), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
        *((masked(opcode), 1002) for opcode in (3, CLOSE, PING, PONG, 15)),  # control frames in fragments, too
        *((masked(FIN | opcode, b"x" * 126), 1002) for opcode in (CLOSE, PING, PONG)),
        (masked(FIN | PING, b"x", length=b"\x7e\x00\x01"), 1002),
        (masked(FIN), 1002),  # a continuation of nothing
        (masked(0), 1002),
        (masked(TEXT, b"a") + masked(FIN | TEXT, b"b"), 1002),  # a message inside another
        (masked(TEXT, b"a") + masked(BINARY, b"b"), 1002),
        (masked(TEXT) + masked(FIN | BINARY), 1002),
        (masked(BINARY, b"a") + masked(FIN) + masked(FIN), 1002),
        (masked(FIN | TEXT, b"a", length=b"\x7e\x00\x01"), 1002),  # length longer than needed
        (masked(FIN | TEXT, b"x" * 125, length=b"\x7e\x00\x7d"), 1002),
        (masked(FIN | TEXT, b"x" * 126, length=b"\x7f" + bytes(7) + b"\x7e"), 1002),
        (masked(FIN | TEXT, b"", length=b"\x7f\x00\x00\x00\x00\x00\x00\xff\xff"), 1002),
        (masked(FIN | TEXT, b"", length=b"\x7f\x80\x00\x00\x00\x00\x00\x00\x00"), 1002),  # the top bit
        (masked(FIN | TEXT, b"", length=b"\x7f" + b"\xff" * 8), 1002),
        (masked(FIN | TEXT, b"", length=b"\x7f\x7f" + b"\xff" * 7), 1009),
        (masked(FIN | TEXT, b"x" * 1_001), 1009),
        (masked(TEXT, b"x" * 600) + masked(FIN, b"x" * 401), 1009),
        (masked(TEXT, b"x" * 1_000) + masked(0) + masked(0, b"x"), 1009),
        (masked(FIN | TEXT, b"\xff"), 1007),
        (masked(FIN | TEXT, b"\xed\xa0\x80"), 1007),  # a surrogate
        (masked(FIN | TEXT, b"\xc0\xaf"), 1007),  # longer than needed
        (masked(FIN | TEXT, b"\xf4\x90\x80\x80"), 1007),  # beyond U+10FFFF
        (masked(FIN | TEXT, "€".encode()[:2]), 1007),
        (masked(TEXT, "€".encode()[:2]) + masked(FIN, b"a"), 1007),
        (masked(TEXT, "€".encode()[:2]) + masked(FIN), 1007),
    ],
)
def test_breaches(data, code):
    """Each breach has its close code, however the bytes arrive, and the reader repeats it when asked again."""
    assert read(data)[-1] == code
    assert read(*one_by_one(data))[-1] == code
    reader = FrameReader(LIMIT)
    reader.feed(data)
    caught = []
    for _ in range(9):
        try:
            reader.next()
        except FrameInvalid as invalid:
            caught.append(invalid)
    assert len(caught) >= 2
    assert {invalid.code for invalid in caught} == {code}
    assert all(invalid.reason for invalid in caught)


@pytest.mark.parametrize(
    "head",
    [
        masked(FIN | TEXT, length=b"\x7e\x03\xe9")[:4],
        masked(FIN | BINARY, length=struct.pack(">BQ", 127, 2**40))[:10],
        masked(TEXT, b"x" * 999) + masked(FIN, length=b"\x02")[:2],
    ],
)
def test_too_big_is_known_from_the_head(head):
    """Nobody waits for, or stores, the payload of a message that is refused."""
    assert read(head) == [1009]


def test_control_frames_have_no_part_in_the_limit():
    """A ping passes however small the messages must be."""
    assert read(masked(BINARY, b"x"), masked(FIN | PING, b"x" * 125), masked(FIN), limit=1) == [
        (PING, b"x" * 125),
        (BINARY, b"x"),
    ]


def test_idle_reader_holds_no_bytes():
    """After whole messages a reader is as small as a new one: there is one per connection."""
    data = masked(FIN | TEXT, b"x" * 500)
    reader = FrameReader(LIMIT)
    for chunks in ([data], [data[:7], data[7:]], [masked(TEXT, b"x" * 500), masked(FIN)], one_by_one(data)):
        for chunk in chunks:
            reader.feed(chunk)
            reader.next()
        held = [getattr(reader, slot) for slot in FrameReader.__slots__]
        assert b"" in held
        assert not [value for value in held if isinstance(value, bytes | bytearray) and value]


@dataclass
class Stream:
    """Bytes of a client, and how they are cut."""

    data: bytes
    cuts: list[int]

    def chunks(self):
        borders = sorted({0, len(self.data), *(cut % (len(self.data) + 1) for cut in self.cuts)})
        return [self.data[start:end] for start, end in pairwise(borders)]


payloads = st.binary(max_size=140) | st.text(max_size=60).map(str.encode)
first_bytes = st.sampled_from([0x00, 0x01, 0x02, 0x80, 0x80, 0x81, 0x82, 0x89, 0x8A]) | st.integers(0, 255).filter(
    lambda byte: byte != FIN | CLOSE
)
frames = st.builds(masked, first_bytes, payloads, key=st.binary(min_size=4, max_size=4))
# Right in the code or right in the reason: what is wrong in both may be reported as either.
codes = st.integers(0, 6_000).map(lambda code: code.to_bytes(2, "big"))
close_payloads = (
    st.sampled_from([b"", b"\x03"])
    | st.tuples(codes, st.text(max_size=30).map(str.encode)).map(b"".join)
    | st.binary(max_size=9).map(b"\x03\xe8".__add__)
)
closes = st.builds(masked, st.just(FIN | CLOSE), close_payloads)
broken_frames = (
    frames | closes | st.binary(max_size=20) | st.sampled_from([masked(0x82, b"x" * 990), masked(0x02, b"x" * 990)])
)
streams = st.builds(Stream, st.lists(broken_frames, max_size=8).map(b"".join), st.lists(st.integers(0, 10_000)))


@given(streams)
def test_cuts_change_nothing(stream):
    """The same bytes give the same messages and the same breach, wherever they are cut."""
    assert read(*stream.chunks()) == read(stream.data) == read(*one_by_one(stream.data))


@given(st.lists(st.binary()))
def test_any_bytes(chunks):
    """Whatever arrives: messages or FrameInvalid."""
    for message in read(*chunks):
        assert message in (1002, 1007, 1009) or message[0] in (TEXT, BINARY, CLOSE, PING, PONG)


@given(st.lists(st.text() | st.binary()), st.lists(st.integers(1, 9)), st.binary(min_size=4, max_size=4))
def test_messages_come_back(messages, sizes, key):
    """Messages in fragments of any size arrive as they were sent, pings between all their fragments."""
    data = b""
    for message in messages:
        rest, opcode = (message.encode(), TEXT) if isinstance(message, str) else (message, BINARY)
        for size in sizes:
            data += masked(opcode, rest[:size], key) + masked(FIN | PING, b"p", key)
            rest, opcode = rest[size:], 0
        data += masked(FIN | opcode, rest, key)
    received = read(data, limit=10_000)
    assert [message for opcode, message in received if opcode != PING] == messages
    assert received.count((PING, b"p")) == len(messages) * len(sizes)


def their_opinion(data):
    """What `websockets` makes of it: messages, then the close code if it fails the connection."""
    protocol = Protocol(Side.SERVER, state=State.OPEN, max_size=LIMIT)
    protocol.receive_data(data)
    # A close between fragments is a breach over there. Section 5.4 allows any control frame there.
    assume("incomplete fragmented message" not in str(protocol.parser_exc))
    out, parts, opcode = [], [], 0
    for frame in protocol.events_received():
        if frame.opcode >= CLOSE:
            out.append((int(frame.opcode), bytes(frame.data)))
            continue
        opcode = frame.opcode or opcode
        parts.append(bytes(frame.data))
        if frame.fin:
            message = b"".join(parts)
            try:
                out.append((int(opcode), message.decode() if opcode == TEXT else message))
            except UnicodeDecodeError:  # a connection's, not the protocol's, concern over there
                return [*out, CloseCode.INVALID_DATA]
            parts = []
    if protocol.parser_exc is not None:
        return [*out, protocol.close_sent.code]
    return out


def our_opinion(data):
    """The same of ours: nothing is read after a close frame, whose payload is checked."""
    out = []
    for message in read(data):
        out.append(message)
        if isinstance(message, tuple) and message[0] == CLOSE:
            try:
                parse_close(message[1])
            except FrameInvalid as invalid:
                out[-1] = invalid.code
            break
    return out


@given(st.lists(frames | closes, max_size=8).map(b"".join))
@example(masked(TEXT, b"x" * 600) + masked(FIN, b"x" * 401))
@example(masked(FIN | CLOSE, b"\x03\xe8" + b"bye"))
@example(masked(FIN | CLOSE, b"\x03"))
@example(masked(FIN | TEXT, b"a")[:-1])
def test_websockets_agrees(data):
    """The same messages and the same close code as the library that most Python servers use."""
    assert our_opinion(data) == their_opinion(data)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 0xFFFF, 0x10000])
@pytest.mark.parametrize(("build", "first"), [(text_frame, 0x81), (binary_frame, 0x82)])
def test_sent_messages(build, first, size):
    """One frame, not masked, its length in the shortest form."""
    payload = b"x" * size
    assert build(payload) == bytes([first]) + length_field(size) + payload


def test_sent_control_frames():
    """Pings and pongs carry up to 125 bytes."""
    assert ping_frame() == b"\x89\x00"
    assert ping_frame(b"p") == b"\x89\x01p"
    assert pong_frame(b"x" * 125) == b"\x8a\x7d" + b"x" * 125
    for build in (ping_frame, pong_frame):
        with pytest.raises(ValueError, match="125"):
            build(b"x" * 126)


def test_close_frames():
    """Code and reason; what a peer without a code sent is answered in kind."""
    assert close_frame(1000) == b"\x88\x02\x03\xe8"
    assert close_frame(1008, "no") == b"\x88\x04\x03\xf0no"
    assert close_frame(*parse_close(b"")) == b"\x88\x00"
    for code in (0, 999, 1004, 1006, 1015, 2999, 5000, 70_000, -1):
        with pytest.raises(ValueError, match="close code"):
            close_frame(code)


@given(st.text(st.characters()))
@example("€" * 41)
@example("a" + "€" * 41)
@example("aa" + "😀" * 40)
def test_close_reason_is_cut_between_characters(reason):
    """A reason of any length and content becomes at most 123 bytes of UTF-8, none lost without need."""
    frame = close_frame(1000, reason)
    assert len(frame) <= 127
    whole = reason.encode(errors="replace").decode()
    code, text = parse_close(frame[2:])
    assert code == 1000
    assert whole.startswith(text)
    assert text == whole or len(text.encode()) > 123 - 4


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999])
def test_parse_close(code):
    """The registered codes, and those for libraries and applications."""
    assert parse_close(code.to_bytes(2, "big")) == (code, "")
    assert parse_close(code.to_bytes(2, "big") + "grüezi".encode()) == (code, "grüezi")


def test_parse_close_without_code():
    """No code at all is 1005."""
    assert parse_close(b"") == (1005, "")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"\x03", 1002),
        *(
            (code.to_bytes(2, "big"), 1002)
            for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
        ),
        (b"\x03\xe8\xff", 1007),
        (b"\x03\xe8" + "€".encode()[:2], 1007),
    ],
)
def test_parse_close_refuses(payload, expected):
    """Half a code, a code nobody may send, and a reason that is not UTF-8."""
    with pytest.raises(FrameInvalid) as caught:
        parse_close(payload)
    assert caught.value.code == expected


@given(st.binary(max_size=125))
def test_parse_close_raises_nothing_else(payload):
    """Any payload is a code and a reason or FrameInvalid."""
    try:
        parsed = parse_close(payload)
    except FrameInvalid:
        return
    assert close_frame(*parsed)[2:] == payload
