"""How a session of Engine.IO begins, and every way to be refused."""

from __future__ import annotations

import asyncio

import pytest

from tests.conformance.http_connection import connect, request
from tests.conformance.long_polling import open_long_polling
from tests.conformance.server_program import MAX_PAYLOAD_BYTES, Endpoint
from tests.conformance.web_socket import handshake, open_engine

TRANSPORT_UNKNOWN = {"code": 0, "message": "Transport unknown"}
SESSION_ID_UNKNOWN = {"code": 1, "message": "Session ID unknown"}
BAD_HANDSHAKE_METHOD = {"code": 2, "message": "Bad handshake method"}
BAD_REQUEST = {"code": 3, "message": "Bad request"}
UNSUPPORTED_PROTOCOL_VERSION = {"code": 5, "message": "Unsupported protocol version"}

OPENING = {"pingInterval": 300, "pingTimeout": 200, "maxPayload": MAX_PAYLOAD_BYTES}


async def test_session_over_polling(fast_engine: Endpoint):
    """A GET without a sid is answered with an open packet that names the session, its times and its upgrade."""
    answer = await request(fast_engine, "GET")
    assert answer.status == 200
    assert answer.headers["Content-Type"].replace("; ", ";").lower() == "text/plain;charset=utf-8"
    session = await open_long_polling(fast_engine)
    assert session.opening == {"sid": session.sid, "upgrades": ["websocket"], **OPENING}
    assert isinstance(session.sid, str)


async def test_session_over_web_socket(fast_engine: Endpoint):
    """A WebSocket without a sid begins with an open packet, with nothing left to upgrade to."""
    async with open_engine(fast_engine) as socket:
        assert socket.opening == {"sid": socket.sid, "upgrades": [], **OPENING}


async def test_session_ids_cannot_be_guessed(engine: Endpoint):
    """A hundred sessions opened at once have a hundred long ids that stand in a URL as they are."""
    sids = {(await opening).sid for opening in asyncio.as_completed([open_long_polling(engine) for _ in range(100)])}
    assert len(sids) == 100
    assert all(len(sid) >= 16 and sid.replace("-", "").replace("_", "").isalnum() for sid in sids)
    assert len({sid[:10] for sid in sids}) == 100


@pytest.mark.parametrize(
    "extra",
    [
        {"t": "N8hyd6w"},
        {"b64": "1"},
        pytest.param({"j": "0"}, marks=pytest.mark.node_deviates("answers j as JSONP, which version 4 no longer has")),
        {"foo": "bär & ü=?#"},
        {"long": "x" * 4_000},
    ],
    ids=lambda extra: next(iter(extra)),
)
async def test_other_parameters_are_ignored(engine: Endpoint, extra: dict[str, str]):
    """Whatever else stands in the query, `t` and the `b64` and `j` of older versions included, changes nothing."""
    session = await open_long_polling(engine, **extra)
    await session.send("4hello", b"\x01\x02")
    assert (await session.get(**extra)).text == "4hello\x1ebAQI="


async def test_encoded_parameters(engine: Endpoint):
    """A query may be percent-encoded where it need not be."""
    async with connect(engine) as connection:
        answer = await connection.request("GET", f"{engine.path}?%45IO=%34&transport=poll%69ng")
        assert answer.status == 200


@pytest.mark.node_deviates("sends binary data base64-encoded over a WebSocket with b64, a parameter of version 3")
async def test_b64_is_ignored_over_web_socket(engine: Endpoint):
    """Binary data goes over a WebSocket as it is, also when asked for the base64 of older versions."""
    async with open_engine(engine, b64="1") as socket:
        await socket.send(b"\x01\x02")
        assert await socket.receive() == b"\x01\x02"


@pytest.mark.parametrize("transport", [None, "", "abc", "POLLING", "webtransport", "constructor", "__proto__", "\x00"])
async def test_transport_unknown(engine: Endpoint, transport: str | None):
    """A transport that does not exist is error 0."""
    answer = await request(engine, "GET", transport=transport)
    assert (answer.status, answer.json()) == (400, TRANSPORT_UNKNOWN)
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("sid", ["abc", "__proto__", "constructor", "toString", "é", "\x00", " ", "a" * 4_000])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_session_id_unknown(engine: Endpoint, method: str, sid: str):
    """A sid that no session has is error 1, to read as to write."""
    answer = await request(engine, method, "4hello" if method == "POST" else None, sid=sid)
    assert (answer.status, answer.json()) == (400, SESSION_ID_UNKNOWN)
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_bad_handshake_method(engine: Endpoint, method: str):
    """A session begins with a GET: error 2."""
    answer = await request(engine, method, "4hello")
    assert (answer.status, answer.json()) == (400, BAD_HANDSHAKE_METHOD)


async def test_head_begins_no_session(engine: Endpoint):
    """HEAD is not GET, and has no body whatever the answer."""
    assert (await request(engine, "HEAD")).status in (400, 405)


async def test_web_socket_without_an_upgrade(engine: Endpoint):
    """An ordinary GET cannot begin a WebSocket: error 3, with a sid or without."""
    session = await open_long_polling(engine)
    for query in ({}, {"sid": session.sid}):
        answer = await request(engine, "GET", transport="websocket", **query)
        assert (answer.status, answer.json()) == (400, BAD_REQUEST)


async def test_polling_in_a_session_that_began_as_a_web_socket(engine: Endpoint):
    """There is no way down from a WebSocket: error 3, and the WebSocket does not notice."""
    async with open_engine(engine) as socket:
        for method, body in (("GET", None), ("POST", "4x")):
            answer = await request(engine, method, body, sid=socket.sid)
            assert (answer.status, answer.json()) == (400, BAD_REQUEST)
        await socket.send("4hello")
        assert await socket.receive() == "4hello"


async def test_forbidden(engine: Endpoint):
    """A request that the application refuses is error 4 with status 403, and never a WebSocket."""
    refuse = {"Origin": "https://refused.example"}
    answer = await request(engine, "GET", headers=refuse)
    assert (answer.status, answer.json()["code"]) == (403, 4)
    async with connect(engine) as connection:
        await connection.send(handshake(engine, refuse))
        assert 400 <= (await connection.answer()).status < 500


@pytest.mark.parametrize("version", [None, "", "3", "5", "abc", "4.0", "04", " 4", "44"])
async def test_unsupported_protocol_version(engine: Endpoint, version: str | None):
    """Only EIO=4 is spoken here, to the letter: error 5."""
    answer = await request(engine, "GET", EIO=version)
    assert (answer.status, answer.json()) == (400, UNSUPPORTED_PROTOCOL_VERSION)


async def test_version_changes_during_a_session(engine: Endpoint):
    """The mandatory EIO=4 is missed in later requests too, and the session takes no harm."""
    session = await open_long_polling(engine)
    for version in ("3", None):
        answer = await request(engine, "GET", EIO=version, sid=session.sid)
        assert (answer.status, answer.json()["code"]) in ((400, 3), (400, 5))
    await session.send("4hello")
    assert await session.receive() == "4hello"


@pytest.mark.parametrize(
    "query",
    [
        {"EIO": None},
        {"EIO": "3"},
        {"EIO": "abc"},
        {"transport": None},
        {"transport": "abc"},
        {"sid": "abc"},
        {"sid": "__proto__"},
    ],
    ids=str,
)
async def test_refused_web_socket_ends(engine: Endpoint, query: dict[str, str]):
    """A WebSocket with a wrong or missing parameter is refused with 400; ending it right after 101 will do as well."""
    async with connect(engine) as connection:
        await connection.send(handshake(engine, **query))
        answer = await connection.answer()
        assert answer.status in (400, 101)
        await connection.rest()


@pytest.mark.node_deviates("opens a WebSocket on which it never says anything")
async def test_polling_with_an_upgrade_header(engine: Endpoint):
    """A WebSocket handshake that names the transport `polling` is refused, or answered as the GET that it also is."""
    async with connect(engine) as connection:
        await connection.send(handshake(engine, transport="polling"))
        assert (await connection.answer()).status in (200, 400)
