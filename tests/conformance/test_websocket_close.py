"""The closing handshake of RFC 6455, section 7."""

from __future__ import annotations

import asyncio

import pytest

from tests.conformance.http_connection import request
from tests.conformance.server_program import Endpoint
from tests.conformance.web_socket import CLOSE, PING, client_frame, close_frame, message_frame, open_engine


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999])
async def test_close_is_echoed(engine: Endpoint, code: int):
    """A close frame is answered with its own code, then the server ends the TCP connection."""
    async with open_engine(engine) as socket:
        await socket.send_raw(close_frame(code, "bis später".encode()))
        assert (await socket.until_closed())[0] == code


async def test_close_without_a_code(engine: Endpoint):
    """A close frame without a code is answered with none, or with 1000."""
    async with open_engine(engine) as socket:
        await socket.send_raw(client_frame(CLOSE))
        assert (await socket.until_closed())[0] in (None, 1000)


@pytest.mark.parametrize("code", [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535])
async def test_codes_that_nobody_may_send(engine: Endpoint, code: int):
    """A reserved or impossible code is an error of the protocol."""
    async with open_engine(engine) as socket:
        await socket.send_raw(close_frame(code))
        assert (await socket.until_closed())[0] == 1002


async def test_half_a_code(engine: Endpoint):
    """A close frame of one byte is an error of the protocol."""
    async with open_engine(engine) as socket:
        await socket.send_raw(client_frame(CLOSE, b"\x03"))
        assert (await socket.until_closed())[0] == 1002


async def test_reason_that_is_not_utf_8(engine: Endpoint):
    """A reason is text."""
    async with open_engine(engine) as socket:
        await socket.send_raw(close_frame(1000, b"\xff"))
        assert (await socket.until_closed())[0] in (1002, 1007)


async def test_longest_reason(engine: Endpoint):
    """A close frame may fill the 125 bytes of a control frame."""
    async with open_engine(engine) as socket:
        await socket.send_raw(close_frame(1000, b"x" * 123))
        assert (await socket.until_closed())[0] == 1000


async def test_frames_after_a_close_frame(engine: Endpoint):
    """What a client sends after its close frame is neither taken nor answered, and does not end in an error."""
    async with open_engine(engine) as socket:
        await socket.send_raw(
            message_frame("4before") + close_frame(1000) + message_frame("4after") + client_frame(PING) + b"\xff\xff"
        )
        closed = await socket.until_closed()
    assert closed == (1000, ["4before"])


async def test_close_amid_fragments(engine: Endpoint):
    """A client may close in the middle of a message, which is then lost."""
    async with open_engine(engine) as socket:
        await socket.send_raw(client_frame(1, b"4a", final=False) + close_frame(1001))
        closed = await socket.until_closed()
    assert closed == (1001, [])


@pytest.mark.parametrize("how", ["close frame", "end of the stream", "abort"])
async def test_end_of_the_web_socket_is_the_end_of_the_session(engine: Endpoint, how: str):
    """However a WebSocket ends, its session ends with it."""
    async with open_engine(engine) as socket:
        if how == "close frame":
            await socket.send_raw(close_frame(1000))
            await socket.goodbye()
        elif how == "end of the stream":
            socket.connection.finish()
            await socket.goodbye()
        else:
            socket.connection.abort()
        async with asyncio.timeout(5):
            while (await request(engine, "GET", sid=socket.sid)).json()["code"] != 1:
                await asyncio.sleep(0.01)


async def test_many_connections_come_and_go(engine: Endpoint):
    """Two hundred WebSockets at once, each with its message, a third of them gone without a word."""

    async def visit(number: int) -> str | bytes:
        async with open_engine(engine) as socket:
            await socket.send(f"4{number}")
            answer = await socket.receive()
            if number % 3:
                await socket.send_raw(close_frame(1000))
                await socket.goodbye()
            return answer

    assert await asyncio.gather(*(visit(number) for number in range(200))) == [f"4{n}" for n in range(200)]
