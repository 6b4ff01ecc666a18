"""Packets, one by one and many in a payload, over both transports."""

from __future__ import annotations

import contextlib

import pytest

from tests.conformance.http_connection import request
from tests.conformance.long_polling import LongPolling, open_long_polling
from tests.conformance.server_program import MAX_PAYLOAD_BYTES, Endpoint
from tests.conformance.web_socket import open_engine

MESSAGES = {
    "plain": "4hello",
    "empty": "4",
    "digits": "42",
    "unicode": "4€ 😀 \u2028 \ufeff \u0000",
    "of only a byte order mark": "4\ufeff",
    "lines": "4a\r\nb\n",
    "looks binary": "4bAQID",
    "binary": bytes(range(256)),
    "empty binary": b"",
    "one byte": b"\x00",
    "two bytes": b"\xff\xfe",
}


@pytest.fixture
async def session(engine: Endpoint) -> LongPolling:
    return await open_long_polling(engine)


async def is_unknown(session: LongPolling) -> bool:
    return (await session.get()).json() == {"code": 1, "message": "Session ID unknown"}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
async def test_message_over_polling(session: LongPolling, message: str | bytes):
    """A message comes back as it was sent."""
    await session.send(message)
    assert await session.receive() == message


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
async def test_message_over_web_socket(engine: Endpoint, message: str | bytes):
    """A message comes back as it was sent."""
    async with open_engine(engine) as socket:
        await socket.send(message)
        assert await socket.receive() == message


async def test_separator_within_a_message_over_web_socket(engine: Endpoint):
    """The record separator of payloads means nothing on a WebSocket, where a frame is a packet."""
    async with open_engine(engine) as socket:
        await socket.send("4a\x1e4b")
        assert await socket.receive() == "4a\x1e4b"


async def test_text_and_binary_in_a_payload(session: LongPolling):
    """Text and binary packets share a payload, to the server and back."""
    assert (await session.post("4hello\x1ebAQIDBA==\x1e4€\x1eb")).text == "ok"
    assert (await session.get()).text == "4hello\x1ebAQIDBA==\x1e4€\x1eb"


async def test_a_thousand_packets_in_a_payload(session: LongPolling):
    """A payload may hold many packets, and they keep their order."""
    packets = [f"4{number}" if number % 10 else number.to_bytes(2, "big") for number in range(1_000)]
    await session.send(*packets)
    assert [await session.receive() for _ in packets] == packets


async def test_as_many_packets_as_fit(session: LongPolling):
    """Half a million packets in a payload of maxPayload are borne or refused, and hold nobody else up."""
    body = "\x1e".join(["3"] * (MAX_PAYLOAD_BYTES // 2))
    with contextlib.suppress(EOFError, ConnectionError):
        assert (await session.post(body)).status in (200, 400, 413)
    assert (await request(session.endpoint, "GET")).status == 200


INVALID_PAYLOADS = {
    "unknown type": "abc",
    "type 7": "7",
    "type 9": "9abc",
    "empty": "",
    "a space in front": " 4hello",
    "a byte order mark in front": "\ufeff4hello",
    "a separator only": "\x1e",
    "a separator in front": "\x1e4hello",
    "a separator at the end": "4hello\x1e",
    "two separators": "4hello\x1e\x1e4hello",
    "invalid amid valid": "4hello\x1eabc\x1e4hello",
}


@pytest.mark.parametrize("body", INVALID_PAYLOADS.values(), ids=INVALID_PAYLOADS)
async def test_invalid_payload_ends_the_session(session: LongPolling, body: str):
    """A payload that is not of packets ends the session."""
    await session.post(body)
    assert await is_unknown(session)


@pytest.mark.node_deviates("answers `ok`; the official suite asks for 400, but catches its own AssertionError")
@pytest.mark.parametrize("body", INVALID_PAYLOADS.values(), ids=INVALID_PAYLOADS)
async def test_invalid_payload_is_a_bad_request(session: LongPolling, body: str):
    """A payload that is not of packets is answered with 400."""
    assert (await session.post(body)).status == 400


@pytest.mark.node_deviates("takes what is not UTF-8, with replacement characters")
@pytest.mark.parametrize("body", [b"4\xff", b"4\xc0\xaf", b"4\xed\xa0\x80", b"4\xe2\x82"])
async def test_payload_that_is_not_utf_8(session: LongPolling, body: bytes):
    """Text is UTF-8: all else is answered with 400 and ends the session."""
    assert (await session.post(body)).status == 400
    assert await is_unknown(session)


@pytest.mark.node_deviates("decodes what it can of invalid base64")
@pytest.mark.parametrize("body", ["b!!!!", "bAQID=BA", "b\x00", "bAQI€", "bAQIDBA==x", "bA"])
async def test_invalid_base64(session: LongPolling, body: str):
    """Binary data is base64: all else is answered with 400 and ends the session."""
    assert (await session.post(body)).status == 400
    assert await is_unknown(session)


@pytest.mark.parametrize("packet", ["abc", "7", "9abc", "", " 4hello", "\ufeff4hello", "\u0664hello"])
async def test_invalid_packet_closes_the_web_socket(engine: Endpoint, packet: str):
    """A text that is no packet ends the session, after what came before it."""
    async with open_engine(engine) as socket:
        await socket.send("4before", packet, "4after")
        assert await socket.goodbye() == ["4before"]


@pytest.mark.parametrize("packet", ["0", '0{"sid":"mine"}', "5", "6", "3", "3unasked"])
async def test_packets_out_of_turn(engine: Endpoint, session: LongPolling, packet: str):
    """Valid packets that nobody waits for are ignored, or end the session; nobody answers them."""
    await session.try_to_send(packet, "4after")
    answer = await session.get()
    assert answer.text == "4after" or answer.json()["code"] == 1
    async with open_engine(engine) as socket:
        await socket.send(packet, "4after", "invalid")
        assert await socket.goodbye() in (["4after"], [])


@pytest.mark.parametrize("packet", ["2", "2probe"])
async def test_ping_of_a_client(engine: Endpoint, session: LongPolling, packet: str):
    """Only servers ping: a client's ping, without an upgrade to probe, is not answered and ends the session."""
    await session.try_to_send(packet)
    assert await session.goodbye() == []
    async with open_engine(engine) as socket:
        await socket.send(packet)
        assert await socket.goodbye() == []
