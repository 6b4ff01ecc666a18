"""What browsers of other origins ask of long-polling, where every origin is allowed."""

from __future__ import annotations

import pytest

from tests.conformance.http_connection import Answer, request
from tests.conformance.long_polling import open_long_polling
from tests.conformance.server_program import Endpoint

ORIGIN = {"Origin": "https://example.org"}


def admits(answer: Answer) -> bool:
    """Every origin, or this one in an answer that is for this one only."""
    allowed = answer.headers["Access-Control-Allow-Origin"]
    return allowed == "*" or (allowed == ORIGIN["Origin"] and "origin" in answer.headers["Vary"].lower())


@pytest.mark.parametrize("query", [{}, {"sid": "unknown"}, {"transport": "abc"}], ids=["new", "unknown sid", "wrong"])
async def test_preflight(engine: Endpoint, query: dict[str, str]):
    """OPTIONS is answered without a look at the session, allows GET and POST, and the headers that were asked for."""
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-custom"}
    answer = await request(engine, "OPTIONS", headers=ORIGIN | asked, **query)
    assert answer.status in (200, 204)
    assert admits(answer)
    assert {"GET", "POST"} <= {name.strip() for name in answer.headers["Access-Control-Allow-Methods"].split(",")}
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert allowed == "*" or {"content-type", "x-custom"} <= {name.strip() for name in allowed.split(",")}


async def test_every_answer_can_be_read(engine: Endpoint):
    """Answers to GET and POST, errors too, may be read by any origin."""
    session = await open_long_polling(engine)
    answers = [
        await request(engine, "GET", headers=ORIGIN),
        await session.post("4hello", ORIGIN),
        await request(engine, "GET", headers=ORIGIN, sid=session.sid),
        await request(engine, "GET", headers=ORIGIN, sid="unknown"),
        await request(engine, "POST", "4x", headers=ORIGIN),
        await request(engine, "GET", headers=ORIGIN, EIO="3"),
    ]
    assert [answer.status for answer in answers] == [200, 200, 200, 400, 400, 400]
    assert all(map(admits, answers))


async def test_preflight_leaves_the_session_alone(engine: Endpoint):
    """A preflight with a sid is neither a read nor a write."""
    session = await open_long_polling(engine)
    await session.send("4hello")
    preflight = await request(
        engine, "OPTIONS", headers=ORIGIN | {"Access-Control-Request-Method": "GET"}, sid=session.sid
    )
    assert (preflight.status in (200, 204), preflight.body) in ((True, b""), (True, b"OK"))
    assert await session.receive() == "4hello"
