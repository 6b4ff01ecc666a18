"""HTTP/1.1 as hostile and odd clients speak it: what may not be taken, and what must not break."""

from __future__ import annotations

import pytest

from tests.conformance.http_connection import connect, request_bytes
from tests.conformance.server_program import Endpoint
from tests.conformance.web_socket import handshake

TARGET = "/engine.io/?EIO=4&transport=polling"

MALFORMED = {
    "garbage": b"GARBAGE\r\n\r\n",
    "no target": b"GET\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64 + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "method in small letters": request_bytes("get", TARGET),
    "no Host": request_bytes("GET", TARGET, headers={"Host": "", "X": "y"}),
    "control character in a name": request_bytes("GET", TARGET, headers={"Bad\x01Name": "x"}),
    "control character in a value": request_bytes("GET", TARGET, headers={"Origin": "a\x01b"}),
    "space before the colon": request_bytes("GET", TARGET, headers={"Origin ": "x"}),
    "raw bytes in the query": request_bytes("GET", TARGET + "&x=\xff"),
    "lines without CR": request_bytes("GET", TARGET).replace(b"\r", b""),
    "negative length": request_bytes("POST", TARGET, headers={"Content-Length": "-1"}),
    "odd length": request_bytes("POST", TARGET, headers={"Content-Length": "abc"}),
    "different lengths": request_bytes("POST", TARGET, headers={"Content-Length": "1\r\nContent-Length: 2"}) + b"66",
    "length and chunks": request_bytes("POST", TARGET, b"0", headers={"Transfer-Encoding": "chunked"}),
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
async def test_malformed_requests(engine: Endpoint, sent: bytes):
    """What is not HTTP/1.1 is answered with 400, if at all, and ends the connection."""
    async with connect(engine) as connection:
        await connection.send(sent)
        answer = await connection.rest()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400")


ODD = {
    "raw bytes in a header": request_bytes("GET", TARGET, headers={"Origin": "http://\xff\xfe"}),
    "raw bytes in a preflight": request_bytes(
        "OPTIONS", TARGET, headers={"Origin": "a", "Access-Control-Request-Headers": "\xff"}
    ),
    "bad percent-encoding": request_bytes("GET", TARGET + "&x=%zz%f"),
    "bytes that are no text": request_bytes("GET", TARGET + "&sid=%ff%fe"),
    "GET with a body": request_bytes("GET", TARGET, b"abc"),
    "absolute target": request_bytes("GET", "http://x" + TARGET),
    "no target at all": request_bytes("OPTIONS", "*"),
    "other path below": request_bytes("GET", "/engine.io/x?EIO=4&transport=polling"),
    "path that leads back": request_bytes("GET", "/engine.io/../engine.io/?EIO=4&transport=polling"),
    "HTTP/2 by upgrade": request_bytes("GET", TARGET, headers={"Connection": "Upgrade", "Upgrade": "h2c"}),
    "raw bytes in a handshake": handshake(Endpoint(0, "/engine.io/"), {"Origin": "\xff\xfe"}),
    "raw bytes as a key": handshake(Endpoint(0, "/engine.io/"), {"Sec-WebSocket-Key": "\xff" * 24}),
}


@pytest.mark.parametrize("sent", ODD.values(), ids=ODD)
async def test_odd_requests(engine: Endpoint, sent: bytes):
    """What is odd, but HTTP/1.1, is served or refused: nothing breaks."""
    async with connect(engine) as connection:
        await connection.send(sent)
        assert (await connection.answer()).status < 500


async def test_too_long_a_query(engine: Endpoint):
    """A query of 200 kB is refused with an error of the client's, if the server reads it at all."""
    async with connect(engine) as connection:
        try:
            answer = await connection.request("GET", engine.target(transport="polling", long="x" * 200_000))
        except (EOFError, ConnectionError):
            return
        assert 400 <= answer.status < 500


@pytest.mark.parametrize(
    "headers", [{"X-Long": "x" * 200_000}, {f"X-{n}": "y" for n in range(5_000)}], ids=["long", "many"]
)
@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_endless_headers(engine: Endpoint, transport: str, headers: dict[str, str]):
    """Headers of 60 to 200 kB are refused with an error of the client's, if the server reads them at all."""
    async with connect(engine) as connection:
        try:
            if transport == "polling":
                await connection.send(request_bytes("GET", TARGET, headers=headers))
            else:
                await connection.send(handshake(engine, headers))
            answer = await connection.answer()
        except (EOFError, ConnectionError):
            return
        assert 400 <= answer.status < 500
