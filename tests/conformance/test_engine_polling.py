"""HTTP long-polling: requests and answers."""

from __future__ import annotations

import asyncio
import contextlib
import gzip

import pytest

from tests.conformance.http_connection import connect, request, request_bytes
from tests.conformance.long_polling import GONE, LongPolling, open_long_polling
from tests.conformance.server_program import MAX_PAYLOAD_BYTES, Endpoint

CHUNKED = {"Transfer-Encoding": "chunked"}


@pytest.fixture
async def session(engine: Endpoint) -> LongPolling:
    return await open_long_polling(engine)


async def is_closed(session: LongPolling) -> bool:
    return (await session.get()).status == 400


async def test_post_is_answered_ok(session: LongPolling):
    """The answer to packets is a text that says `ok`."""
    # Node says text/html, for browsers that would offer the text as a download; the sample of the protocol, text/plain.
    answer = await session.post("4hello")
    assert (answer.status, answer.text) == (200, "ok")
    assert answer.headers["Content-Type"].startswith(("text/plain", "text/html"))


async def test_poll_is_plain_text_that_nobody_caches(session: LongPolling):
    """The answer to a GET is text/plain in UTF-8, and for this request alone."""
    await session.send("4€ 😀")
    answer = await session.get()
    assert answer.headers["Content-Type"].replace("; ", ";").lower() == "text/plain;charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.text == "4€ 😀"


async def test_poll_waits_for_a_packet(session: LongPolling):
    """A GET with nothing to get is answered when there is something, at once."""
    async with session.waiting_get() as connection:
        await session.send("4hello")
        assert (await connection.answer()).text == "4hello"


async def test_packets_wait_for_a_poll(session: LongPolling):
    """What was to be sent while no GET waited comes with the next one: all of it, in order, in one payload."""
    for number in range(5):
        await session.send(f"4{number}")
    assert (await session.get()).text == "40\x1e41\x1e42\x1e43\x1e44"


async def test_compression_is_asked_for(session: LongPolling):
    """A long answer comes compressed at most in a way that the request accepts."""
    for accepted, expected in ((None, {None}), ("identity", {None, "identity"}), ("gzip", {None, "gzip"})):
        await session.send("4" + "x" * 10_000)
        headers = {} if accepted is None else {"Accept-Encoding": accepted}
        answer = await request(session.endpoint, "GET", headers=headers, sid=session.sid)
        encoding = answer.headers["Content-Encoding"]
        assert encoding in expected
        assert (gzip.decompress(answer.body) if encoding == "gzip" else answer.body) == b"4" + b"x" * 10_000


async def test_requests_on_one_connection(engine: Endpoint, session: LongPolling):
    """A connection carries request after request, errors included."""
    target = engine.target(transport="polling", sid=session.sid)
    async with connect(engine) as connection:
        for number in range(3):
            assert (await connection.request("POST", target, f"4{number}")).text == "ok"
            assert (await connection.request("GET", target)).text == f"4{number}"
            assert (await connection.request("GET", engine.target(transport="polling", sid="no"))).status == 400


async def test_http_1_0(engine: Endpoint, session: LongPolling):
    """Proxies may ask by HTTP/1.0, and get no chunks."""
    target = engine.target(transport="polling", sid=session.sid)
    for sent, expected in (request_bytes("POST", target, "4hello"), "ok"), (request_bytes("GET", target), "4hello"):
        async with connect(engine) as connection:
            await connection.send(sent.replace(b"HTTP/1.1", b"HTTP/1.0"))
            answer = await connection.answer()
            assert (answer.status, answer.text) == (200, expected)
            assert answer.headers["Transfer-Encoding"] is None


async def test_pipelined_requests(engine: Endpoint, session: LongPolling):
    """Requests in one segment are answered one after the other."""
    target = engine.target(transport="polling", sid=session.sid)
    async with connect(engine) as connection:
        await connection.send(request_bytes("POST", target, "4hello") + request_bytes("GET", target))
        assert (await connection.answer()).text == "ok"
        assert (await connection.answer()).text == "4hello"


async def test_pipelined_request_behind_a_long_body(engine: Endpoint, session: LongPolling):
    """The next request may begin in the segment in which a long body ends."""
    target = engine.target(transport="polling", sid=session.sid)
    message = "4" + "x" * 60_000
    next_request = request_bytes("GET", target)
    async with connect(engine) as connection:
        await connection.send(request_bytes("POST", target, message) + next_request[:20])
        assert (await connection.answer()).text == "ok"
        await connection.send(next_request[20:])
        assert (await connection.answer()).text == message


async def test_request_byte_by_byte(engine: Endpoint, session: LongPolling):
    """Requests may come in segments of one byte."""
    target = engine.target(transport="polling", sid=session.sid)
    async with connect(engine) as connection:
        await connection.send_byte_by_byte(request_bytes("POST", target, "4€"))
        assert (await connection.answer()).text == "ok"
        await connection.send_byte_by_byte(request_bytes("GET", target))
        assert (await connection.answer()).text == "4€"


async def test_body_without_a_length(engine: Endpoint, session: LongPolling):
    """A body may come in chunks, which may cut a character in two."""
    async with connect(engine) as connection:
        await connection.send(
            request_bytes("POST", engine.target(transport="polling", sid=session.sid), headers=CHUNKED)
            + b"3\r\n4\xe2\x82\r\n1\r\n\xac\r\n0\r\n\r\n"
        )
        assert (await connection.answer()).text == "ok"
    assert await session.receive() == "4€"


async def test_body_that_is_continued(engine: Endpoint, session: LongPolling):
    """`Expect: 100-continue` is answered before the body, as HTTP/1.1 has it."""
    target = engine.target(transport="polling", sid=session.sid)
    async with connect(engine) as connection:
        await connection.send(request_bytes("POST", target, headers={"Content-Length": "6", "Expect": "100-continue"}))
        assert (await connection.answer()).status == 100
        await connection.send(b"4hello")
        assert (await connection.answer()).text == "ok"


@pytest.mark.parametrize(
    "content_type", ["text/plain;charset=UTF-8", "text/plain", "", "application/x-www-form-urlencoded"]
)
async def test_content_type_of_a_post(session: LongPolling, content_type: str):
    """Packets are text, whatever a client calls them."""
    assert (await session.post("4hello", {"Content-Type": content_type})).text == "ok"
    assert await session.receive() == "4hello"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
@pytest.mark.node_deviates("answers with 500, as if the server were at fault")
async def test_other_methods_in_a_session(session: LongPolling, method: str):
    """A session is read with GET and written with POST; other methods are an error of the client's."""
    answer = await request(session.endpoint, method, "4hello", sid=session.sid)
    assert 400 <= answer.status < 500
    await session.send("4still here")
    assert await session.receive() == "4still here"


async def test_two_polls_at_once(session: LongPolling):
    """A second GET is answered with 400 and ends the session; the first is told so with a close packet."""
    async with session.waiting_get() as connection:
        assert (await session.get()).status == 400
        answer = await connection.answer()
        assert (answer.status, answer.text) == (200, "1")
    assert await is_closed(session)


async def test_two_posts_at_once(engine: Endpoint, session: LongPolling):
    """A POST during another is answered with 400 and ends the session."""
    target = engine.target(transport="polling", sid=session.sid)
    async with connect(engine) as first:
        await first.send(request_bytes("POST", target, headers={"Content-Length": "6", "Expect": "100-continue"}))
        assert (await first.answer()).status == 100
        assert (await session.post("4x")).status == 400
        with contextlib.suppress(*GONE):  # Node cuts the first
            await first.send(b"4hello")
            assert (await first.answer()).status == 400
    assert await is_closed(session)


async def test_poll_and_post_at_once(session: LongPolling):
    """A GET that waits stands in the way of no POST."""
    async with session.waiting_get() as connection:
        await session.send("40")
        assert (await connection.answer()).text == "40"
    await session.send("41")
    await session.send("42")
    assert (await session.get()).text == "41\x1e42"


async def test_poll_that_is_given_up(engine: Endpoint, session: LongPolling):
    """After a client hung up on its GET the session is over, or its next GET gets what there is."""
    async with session.waiting_get() as connection:
        connection.abort()
    await request(engine, "GET", sid="unknown")  # the server has seen the end by the time it answers another
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(session.get())
        await session.try_to_send("4two")
    assert waiting.result().text == "4two" or waiting.result().status == 400


async def test_body_that_never_ends(engine: Endpoint, session: LongPolling):
    """A client that hangs up amid a body has sent nothing."""
    async with connect(engine) as connection:
        await connection.send(
            request_bytes("POST", engine.target(transport="polling", sid=session.sid), headers={"Content-Length": "60"})
            + b"4hello"
        )
        connection.abort()
    await session.try_to_send("4after")
    answer = await session.get()
    assert (answer.status, answer.text) == (200, "4after") or answer.json()["code"] == 1


async def test_longest_body(session: LongPolling):
    """A body of exactly maxPayload bytes is taken, and counted in bytes."""
    message = "4" + "é" * ((MAX_PAYLOAD_BYTES - 2) // 2) + "x"
    assert len(message.encode()) == MAX_PAYLOAD_BYTES
    await session.send(message)
    assert await session.receive() == message


@pytest.mark.parametrize("declared", [True, False], ids=["with a length", "in chunks"])
async def test_body_over_max_payload(engine: Endpoint, session: LongPolling, declared: bool):
    """One byte more than maxPayload is answered with 413, and nothing of it is taken."""
    body = b"4" + b"x" * MAX_PAYLOAD_BYTES
    target = engine.target(transport="polling", sid=session.sid)
    async with connect(engine) as connection:
        try:
            if declared:
                await connection.send(request_bytes("POST", target, body))
            else:
                chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
                await connection.send(request_bytes("POST", target, headers=CHUNKED) + chunk)
        except ConnectionError:
            pass  # the server need not read what it refuses
        assert (await connection.answer()).status == 413
    await session.try_to_send("4after")
    answer = await session.get()
    assert (answer.status, answer.text) == (200, "4after") or answer.json()["code"] == 1


async def test_huge_length_is_refused_before_the_body_comes(engine: Endpoint, session: LongPolling):
    """A client that announces gigabytes is not waited for once it has sent more than maxPayload."""
    target = engine.target(transport="polling", sid=session.sid)
    async with connect(engine) as connection:
        await connection.send(request_bytes("POST", target, headers={"Content-Length": str(2**40)}))
        try:
            for _ in range(20):
                await connection.send(b"4" * 100_000)
        except ConnectionError:
            pass
        assert (await connection.answer()).status in (400, 413)


async def test_post_to_a_closed_session(session: LongPolling):
    """A session that was closed is as unknown as one that never was."""
    await session.send("1")
    for answer in (await session.post("4hello"), await session.get()):
        assert (answer.status, answer.json()) == (400, {"code": 1, "message": "Session ID unknown"})


async def test_close_ends_the_waiting_poll(session: LongPolling):
    """A close packet is answered `ok`, and the GET that waits with a noop."""
    async with session.waiting_get() as connection:
        await session.send("1")
        assert (await connection.answer()).text == "6"
    assert await is_closed(session)


async def test_packets_after_a_close_packet(session: LongPolling):
    """What follows a close packet in a payload is not taken."""
    await session.try_to_send("4before", "1", "4after")
    assert await is_closed(session)


async def test_octet_stream(session: LongPolling):
    """A body of raw bytes is not how version 4 sends binary data: it is refused, or read as the text it should be."""
    answer = await session.post("4hello", {"Content-Type": "application/octet-stream"})
    assert answer.status in (200, 400)
    assert await is_closed(session) == (answer.status == 400)
