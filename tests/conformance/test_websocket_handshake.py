"""The opening handshake of RFC 6455, section 4.2: what a server must and must not accept."""

from __future__ import annotations

import pytest

from tests.conformance.http_connection import HttpConnection, connect, request_bytes
from tests.conformance.server_program import Endpoint
from tests.conformance.web_socket import KEY, UPGRADE, WebSocket, handshake, message_frame, open_engine


async def answer_to(endpoint: Endpoint, sent: bytes):
    async with connect(endpoint) as connection:
        await connection.send(sent)
        return await connection.answer()


async def test_accept_key(engine: Endpoint):
    """The example of RFC 6455 gets the answer of RFC 6455."""
    answer = await answer_to(engine, handshake(engine))
    assert answer.status == 101
    assert answer.headers["Upgrade"].lower() == "websocket"
    assert answer.headers["Connection"].lower() == "upgrade"
    assert answer.headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert "Content-Length" not in answer.headers
    assert "Transfer-Encoding" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Upgrade": "WebSocket"},
        {"Connection": "upgrade"},
        {"Connection": "keep-alive, Upgrade"},
        {"Connection": "Upgrade,keep-alive"},
        {"Sec-WebSocket-Key": f"  {KEY}  "},
        {"Origin": "https://elsewhere.example"},
        {"Cookie": "a=b"},
    ],
    ids=str,
)
async def test_accepted(engine: Endpoint, headers: dict[str, str]):
    """Tokens have no case and may stand in a list; other headers do not matter."""
    assert (await answer_to(engine, handshake(engine, headers))).status == 101


async def test_header_names_have_no_case(engine: Endpoint):
    """Proxies write header names as they like."""
    lower = {name.lower(): value for name, value in UPGRADE.items()}
    sent = request_bytes("GET", engine.target(transport="websocket"), headers=lower)
    assert (await answer_to(engine, sent)).status == 101


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-WebSocket-Key": ""},
        {"Sec-WebSocket-Key": "c2hvcnQ="},
        {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZXRvbyBsb25n"},
        {"Sec-WebSocket-Key": "!" * 22 + "=="},
        {"Sec-WebSocket-Key": f"{KEY}\r\nSec-WebSocket-Key: {KEY}"},
        {"Upgrade": ""},
        {"Upgrade": "h2c"},
        {"Connection": ""},
        {"Connection": "keep-alive"},
    ],
    ids=["no key", "short key", "long key", "key not base64", "two keys", "no Upgrade", "h2c", "no Connection", "kept"],
)
async def test_refused(engine: Endpoint, headers: dict[str, str]):
    """A handshake that lacks something is answered with 400."""
    assert (await answer_to(engine, handshake(engine, headers))).status == 400


@pytest.mark.parametrize("version", ["", "0", "7", "12", "14", "abc", "255", "1" * 50])
async def test_other_version(engine: Endpoint, version: str):
    """Any other version is refused with a header that names the right one."""
    answer = await answer_to(engine, handshake(engine, {"Sec-WebSocket-Version": version}))
    assert answer.status in (400, 426)
    assert "13" in answer.headers["Sec-WebSocket-Version"]


@pytest.mark.node_deviates("speaks the draft's version 8 too, and answers other versions with 400")
@pytest.mark.parametrize("version", ["8", "12"])
async def test_upgrade_required(engine: Endpoint, version: str):
    """Another version is answered with 426 Upgrade Required and the only version there is: RFC 6455, section 4.4."""
    answer = await answer_to(engine, handshake(engine, {"Sec-WebSocket-Version": version}))
    assert answer.status == 426
    assert answer.headers["Sec-WebSocket-Version"] == "13"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_method(engine: Endpoint, method: str):
    """A WebSocket is opened with GET."""
    async with connect(engine) as connection:
        await connection.send(handshake(engine, method=method))
        assert b" 101 " not in (await first_line(connection))


@pytest.mark.node_deviates("does not look at the version of HTTP")
async def test_http_1_0(engine: Endpoint):
    """A WebSocket is opened with HTTP/1.1 or later."""
    async with connect(engine) as connection:
        await connection.send(handshake(engine).replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert b" 101 " not in await first_line(connection)


async def first_line(connection: HttpConnection) -> bytes:
    """Of the answer; empty if the connection ends without one."""
    try:
        return await connection.exactly(len(b"HTTP/1.1 400 "))
    except (EOFError, ConnectionError):
        return b""


@pytest.mark.parametrize(
    "offer",
    ["permessage-deflate", "permessage-deflate; client_max_window_bits, x-webkit-deflate-frame", "nonsense", '"', ";"],
)
async def test_no_extension_is_negotiated(engine: Endpoint, offer: str):
    """Extensions are offered in vain, and messages go uncompressed."""
    async with open_engine(engine, {"Sec-WebSocket-Extensions": offer}) as socket:
        assert socket.handshake.headers["Sec-WebSocket-Extensions"] is None
        message = "4" + "x" * 5_000
        await socket.send(message)
        assert await socket.receive() == message


async def test_subprotocol(engine: Endpoint):
    """Engine.IO has no subprotocol: none is chosen, or one of those that were offered (Node's first)."""
    async with open_engine(engine, {"Sec-WebSocket-Protocol": "chat, superchat"}) as socket:
        assert socket.handshake.headers["Sec-WebSocket-Protocol"] in (None, "chat", "superchat")


async def test_handshake_byte_by_byte(engine: Endpoint):
    """The handshake may come in segments of one byte."""
    async with connect(engine) as connection:
        await connection.send_byte_by_byte(handshake(engine))
        answer = await connection.answer()
        assert answer.status == 101
        assert str(await WebSocket(connection, answer).receive()).startswith("0")


async def test_frames_right_behind_the_handshake(engine: Endpoint):
    """A client must wait for the 101; if one does not, its frames are taken or end the connection, but are not lost."""
    async with connect(engine) as connection:
        await connection.send(handshake(engine) + message_frame("4hello"))
        socket = WebSocket(connection, await connection.answer())
        if socket.handshake.status == 101:
            assert str(await socket.next_packet()).startswith("0")
            assert await socket.next_packet() in ("4hello", None)


async def test_handshake_on_a_used_connection(engine: Endpoint):
    """A connection that carried polling requests may become a WebSocket."""
    async with connect(engine) as connection:
        assert (await connection.request("GET", engine.target(transport="polling"))).status == 200
        await connection.send(handshake(engine))
        answer = await connection.answer()
        assert answer.status == 101
        socket = WebSocket(connection, answer)
        assert str(await socket.receive()).startswith("0")
        await socket.send("4hello")
        assert await socket.receive() == "4hello"
