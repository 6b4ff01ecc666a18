"""The frames of RFC 6455, section 5, as a hostile client would send them."""

from __future__ import annotations

import struct

import pytest

from tests.conformance.http_connection import request
from tests.conformance.server_program import MAX_PAYLOAD_BYTES, Endpoint
from tests.conformance.web_socket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Frame,
    client_frame,
    close_frame,
    message_frame,
    open_engine,
)

PROTOCOL_ERROR, INVALID_DATA, TOO_BIG = 1002, 1007, 1009
HELLO = message_frame("4hello")


@pytest.mark.parametrize("size", [0, 1, 124, 125, 126, 127, 128, 65_534, 65_535, 65_536, 65_537, 300_000])
async def test_every_form_of_a_length(engine: Endpoint, size: int):
    """Messages on both sides of each border between the forms of a length come back whole."""
    async with open_engine(engine) as socket:
        await socket.send("4" + "x" * size, bytes(size))
        assert await socket.receive() == "4" + "x" * size
        assert await socket.receive() == bytes(size)


@pytest.mark.parametrize("mask", [b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x01\x02\x03\x04", b"\x00\x00\x00\x01"])
async def test_every_mask(engine: Endpoint, mask: bytes):
    """Any mask is taken off, whatever the length's remainder by four."""
    async with open_engine(engine) as socket:
        for size in range(9):
            await socket.send_raw(client_frame(BINARY, bytes(range(size)), mask=mask))
            assert await socket.receive() == bytes(range(size))


async def test_many_frames_in_one_segment(engine: Endpoint):
    """A thousand messages sent together come back in order."""
    messages = [f"4{number}" if number % 3 else number.to_bytes(2, "big") for number in range(1_000)]
    async with open_engine(engine) as socket:
        await socket.send(*messages)
        assert [await socket.receive() for _ in messages] == messages


async def test_byte_by_byte(engine: Endpoint):
    """Frames may come in segments of one byte."""
    frames = message_frame("4€ 😀") + client_frame(PING, b"p") + message_frame(b"\x01" * 130)
    async with open_engine(engine) as socket:
        await socket.connection.send_byte_by_byte(frames)
        assert [await socket.frame() for _ in range(3)] == [
            Frame(TEXT, "4€ 😀".encode()),
            Frame(PONG, b"p"),
            Frame(BINARY, b"\x01" * 130),
        ]


@pytest.mark.parametrize("cut", range(1, 15))
async def test_cut_anywhere(engine: Endpoint, cut: int):
    """A frame may be cut at any byte, amid the length and the mask too."""
    frame = client_frame(TEXT, b"4" + b"x" * 300)
    async with open_engine(engine) as socket:
        await socket.send_raw(HELLO + frame[:cut])
        assert await socket.receive() == "4hello"  # the first part has been read
        await socket.send_raw(frame[cut:] + HELLO)
        assert await socket.receive() == "4" + "x" * 300
        assert await socket.receive() == "4hello"


@pytest.mark.parametrize("sent", [HELLO[:1], HELLO[:5], client_frame(BINARY, b"x" * 70_000)[:9]])
async def test_half_a_frame_at_the_end(engine: Endpoint, sent: bytes):
    """A client that is gone amid a frame takes its session along, and nothing of the frame is taken."""
    async with open_engine(engine) as socket:
        await socket.send_raw(sent)
        socket.connection.finish()
        assert await socket.goodbye() == []
        assert (await request(engine, "GET", sid=socket.sid)).json()["code"] == 1


async def test_fragments(engine: Endpoint):
    """A message in fragments, empty ones too, is one message; a character may be cut in two."""
    text = "4€ 😀".encode()
    async with open_engine(engine) as socket:
        await socket.send_raw(
            client_frame(TEXT, b"", final=False)
            + client_frame(CONTINUATION, text[:2], final=False)
            + client_frame(CONTINUATION, b"", final=False)
            + client_frame(CONTINUATION, text[2:7], final=False)
            + client_frame(CONTINUATION, text[7:])
            + client_frame(BINARY, b"\x01", final=False)
            + client_frame(CONTINUATION, b"\x02")
            + client_frame(TEXT, b"4x", final=False)
            + client_frame(CONTINUATION, b"")
        )
        assert [await socket.receive() for _ in range(3)] == ["4€ 😀", b"\x01\x02", "4x"]


async def test_message_in_many_fragments(engine: Endpoint):
    """A message may be cut ten thousand times, even into nothing."""
    first, last = client_frame(TEXT, b"4", final=False), client_frame(CONTINUATION, b"")
    async with open_engine(engine) as socket:
        for count, fragment in ((10_000, b"x"), (10_000, b"")):
            await socket.send_raw(first + client_frame(CONTINUATION, fragment, final=False) * count + last)
            assert await socket.receive() == "4" + fragment.decode() * count


async def test_control_frames_between_fragments(engine: Endpoint):
    """A ping amid a fragmented message is answered at once, and the message goes on."""
    async with open_engine(engine) as socket:
        await socket.send_raw(client_frame(TEXT, b"4a", final=False) + client_frame(PING, b"now"))
        assert await socket.frame() == Frame(PONG, b"now")
        await socket.send_raw(client_frame(PONG, b"unasked") + client_frame(CONTINUATION, b"b"))
        assert await socket.receive() == "4ab"


@pytest.mark.parametrize("payload", [b"", b"hello", b"\x00\xff\xfe", bytes(125)])
async def test_ping(engine: Endpoint, payload: bytes):
    """A ping is answered with a pong of the same payload, of any bytes."""
    async with open_engine(engine) as socket:
        await socket.send_raw(client_frame(PING, payload))
        assert await socket.frame() == Frame(PONG, payload)


async def test_pings_between_messages(engine: Endpoint):
    """Ten pings and ten messages in one segment: each is answered, each kind in order."""
    async with open_engine(engine) as socket:
        await socket.send_raw(b"".join(client_frame(PING, b"%d" % n) + message_frame(f"4{n}") for n in range(10)))
        frames = [await socket.frame() for _ in range(20)]
    assert [frame.payload for frame in frames if frame.opcode == TEXT] == [b"4%d" % n for n in range(10)]
    # A server may answer only the latest of several pings; neither of ours does.
    assert [frame.payload for frame in frames if frame.opcode == PONG] == [b"%d" % n for n in range(10)]


async def test_unasked_pongs(engine: Endpoint):
    """A pong that nobody asked for is ignored."""
    async with open_engine(engine) as socket:
        await socket.send_raw(client_frame(PONG) + client_frame(PONG, b"x") + HELLO)
        assert await socket.receive() == "4hello"


PROTOCOL_ERRORS = {
    "unmasked text": client_frame(TEXT, b"4x", mask=b""),
    "unmasked ping": client_frame(PING, b"", mask=b""),
    "unmasked close": client_frame(CLOSE, b"", mask=b""),
    "RSV1": client_frame(TEXT, b"4x", rsv=4),
    "RSV2": client_frame(TEXT, b"4x", rsv=2),
    "RSV3": client_frame(TEXT, b"4x", rsv=1),
    "RSV1 of a ping": client_frame(PING, b"", rsv=4),
    **{f"opcode {opcode}": client_frame(opcode, b"x") for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "continuation of nothing": client_frame(CONTINUATION, b"x"),
    "last continuation of nothing": client_frame(CONTINUATION, b"x", final=False),
    "text amid fragments": client_frame(TEXT, b"4a", final=False) + client_frame(TEXT, b"4b"),
    "binary amid fragments": client_frame(TEXT, b"4a", final=False) + client_frame(BINARY, b"b"),
    "ping in fragments": client_frame(PING, b"a", final=False) + client_frame(CONTINUATION, b"b"),
    "pong in fragments": client_frame(PONG, b"a", final=False),
    "close in fragments": client_frame(CLOSE, struct.pack("!H", 1000), final=False),
    "long ping": client_frame(PING, bytes(126)),
    "long pong": client_frame(PONG, bytes(70_000)),
    "long close": close_frame(1000, bytes(124)),
}


@pytest.mark.parametrize("sent", PROTOCOL_ERRORS.values(), ids=PROTOCOL_ERRORS)
async def test_protocol_errors(engine: Endpoint, sent: bytes):
    """What RFC 6455 forbids closes the connection with 1002: what came before counts, what comes after does not."""
    async with open_engine(engine) as socket:
        await socket.send_raw(HELLO + sent + message_frame("4after"))
        closed = await socket.until_closed()
    assert closed == (PROTOCOL_ERROR, ["4hello"])


BAD_TEXTS = {
    "no UTF-8": b"\xff",
    "lone continuation": b"\x80",
    "overlong": b"\xc0\xaf",
    "surrogate": b"\xed\xa0\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80",
    "cut": b"\xe2\x82",
}


@pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=BAD_TEXTS)
async def test_text_that_is_not_utf_8(engine: Endpoint, text: bytes):
    """A text that is not UTF-8 closes the connection with 1007, in one frame as in fragments."""
    for sent in (
        client_frame(TEXT, b"4" + text),
        client_frame(TEXT, b"4" + text[:1], final=False) + client_frame(CONTINUATION, text[1:]),
    ):
        async with open_engine(engine) as socket:
            await socket.send_raw(sent + HELLO)
            closed = await socket.until_closed()
        assert closed == (INVALID_DATA, [])


async def test_longest_message(engine: Endpoint):
    """A message of exactly maxPayload bytes is taken, in one frame or in fragments."""
    message = b"\x01" * MAX_PAYLOAD_BYTES
    half = message[: MAX_PAYLOAD_BYTES // 2]
    async with open_engine(engine) as socket:
        await socket.send(message)
        assert await socket.receive() == message
        await socket.send_raw(client_frame(BINARY, half, final=False) + client_frame(CONTINUATION, half))
        assert await socket.receive() == message


TOO_LONG = {
    "announced": client_frame(TEXT, b"x" * (MAX_PAYLOAD_BYTES + 1))[:14],
    "sent": client_frame(BINARY, b"x" * (MAX_PAYLOAD_BYTES + 1)),
    "in fragments": client_frame(BINARY, b"x" * MAX_PAYLOAD_BYTES, final=False) + client_frame(CONTINUATION, b"x"),
    "announced as 2**40": bytes([0x82, 0xFF]) + struct.pack("!Q", 2**40) + bytes(4),
    "announced as 2**63 - 1": bytes([0x82, 0xFF]) + struct.pack("!Q", 2**63 - 1) + bytes(4),
}


@pytest.mark.parametrize("sent", TOO_LONG.values(), ids=TOO_LONG)
async def test_message_over_max_payload(engine: Endpoint, sent: bytes):
    """One byte more than maxPayload closes the connection with 1009, as soon as the length is known."""
    async with open_engine(engine) as socket:
        await socket.send_raw(sent)
        closed = await socket.until_closed()
    assert closed == (TOO_BIG, [])


async def test_length_with_the_highest_bit(engine: Endpoint):
    """A length of 2**63 or more does not exist: an error of the protocol, or simply too long."""
    async with open_engine(engine) as socket:
        await socket.send_raw(bytes([0x82, 0xFF]) + b"\xff" * 8 + bytes(4))
        assert (await socket.until_closed())[0] in (PROTOCOL_ERROR, TOO_BIG)


@pytest.mark.parametrize("length", [struct.pack("!BH", 0xFE, 6), struct.pack("!BQ", 0xFF, 6)], ids=["16 bit", "64 bit"])
async def test_length_not_in_its_shortest_form(engine: Endpoint, length: bytes):
    """A length that takes more bytes than it needs is forbidden to send; to read it is harmless (Node does)."""
    async with open_engine(engine) as socket:
        await socket.send_raw(bytes([0x81]) + length + bytes(4) + b"4hello" + client_frame(CLOSE))
        closed = await socket.until_closed()
    assert closed[1] == ["4hello"] or closed == (PROTOCOL_ERROR, [])


async def test_client_that_does_not_read(engine: Endpoint):
    """A client that sends megabytes before it reads gets every echo, whole and in order."""
    messages = [bytes([number]) * 500_000 for number in range(16)]
    async with open_engine(engine) as socket:
        for message in messages:
            await socket.send(message)
        for message in messages:
            assert await socket.receive() == message
