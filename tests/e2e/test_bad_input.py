"""Bad input gets a clear refusal, never a 5xx, and harms nobody."""

import asyncio
import json
from uuid import uuid4

import pytest

from tests.client import QUESTIONS, connected

NAMES = [
    "Zoë 🦊",
    "👩‍👩‍👧‍👦",
    "שלום",
    "مرحبا بالعالم",
    "Ω≈ç√",
    "<script>alert(1)</script>",
    "'; DROP TABLE users; --",
    "ｗｉｄｅ",
]
REFUSED_NAMES = ["", "   ", "x" * 10_000, "🦊" * 10_000, "a\0b", "\x1b[2J", "\u202e"]
BODIES = {
    "nothing": b"",
    "broken": b'{"a":',
    "not json": b"hello",
    "null": b"null",
    "list": b"[]",
    "string": b'"x"',
    "number": b"1e999",
    "deep list": b"[" * 20_000 + b"]" * 20_000,
    "deep object": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "not UTF-8": b'{"title":"\xff\xfe"}',
    "lone surrogate": b'{"title":"\\ud800"}',
    "unknown field": b'{"surprise":1}',
    "twice": b'{"name":"a","name":2}',
    "NUL": b"\0",
    "byte-order mark": b"\xef\xbb\xbf{}",
}
ROUTES = [
    ("POST", "/quizzes"),
    ("PUT", "/quizzes/{quiz}"),
    ("POST", "/quiz-session"),
    ("POST", "/update-score"),
    ("POST", "/auth/guest"),
    ("POST", "/auth/register"),
    ("POST", "/auth/login"),
    ("POST", "/auth/refresh"),
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_bodies(master, method, path, body):
    """Whatever the body is, the answer is a 400 that says what is wrong."""
    host = await master.account()
    quiz, _ = await master.quiz(host)
    response = await master.http.request(
        method,
        path.format(quiz=quiz),
        content=BODIES[body],
        headers=host.headers | {"Content-Type": "application/json"},
    )
    assert response.status_code == 400, response.text
    assert response.json()["code"] in {"json_malformed", "request_invalid"}


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_huge_bodies(master, method, path):
    """Over 64 KB is refused with 413, announced or not."""
    host = await master.account()
    content = json.dumps({"title": "x" * 70_000}).encode()

    async def unannounced():
        for at in range(0, len(content), 8192):
            yield content[at : at + 8192]

    for body in (content, unannounced()):
        response = await master.http.request(method, path.format(quiz=uuid4()), content=body, headers=host.headers)
        assert response.status_code == 413, response.text
        assert response.json()["code"] == "body_too_large"


async def test_names(master):
    """Every language and emoji may join and comes back as it was; what is no name is refused."""
    session, questions = await master.session(await master.account())
    for name in NAMES:
        player = await master.guest(name)
        assert (await player.join(session, name)).json()["name"] == name
        await player.answer(session, questions[0], 1)
    for name in REFUSED_NAMES:
        player = await master.guest()
        refused = await player.join(session, name)
        assert (refused.status_code, refused.json()["code"]) == (400, "request_invalid")
        assert refused.json()["detail"].startswith("The name")
        assert (await master.http.post("/auth/guest", json={"name": name})).status_code == 400
        assert (await player.join(session, "Second try")).status_code == 200


@pytest.mark.parametrize("text", ["x", "0", "null", "%00", "..%2f..", "🦊", "1' or '1'='1", "a" * 3000, uuid4().hex])
async def test_paths_that_are_no_ids(master, text):
    """An id that is none is a 400 or 404, wherever it stands."""
    host = await master.account()
    for method, path in [
        ("GET", "/quizzes/{}"),
        ("PUT", "/quizzes/{}"),
        ("DELETE", "/quizzes/{}"),
        ("GET", "/quiz-session/{}"),
        ("POST", "/quiz-session/{}/join"),
        ("POST", "/quiz-session/{}/finish"),
        ("GET", "/quiz-session/{}/questions"),
        ("GET", "/quiz-session/{}/leaderboard"),
        ("GET", "/pin/{}"),
    ]:
        body = {"title": "T", "questions": QUESTIONS} if method == "PUT" else None
        response = await master.http.request(method, path.format(text), headers=host.headers, json=body)
        assert response.status_code in {400, 404}, f"{method} {path}: {response.text}"


@pytest.mark.parametrize("field", ["quiz_session_id", "question_id", "answer_id"])
@pytest.mark.parametrize("value", ["x", "", 1, None, [], {}, "🦊", "0" * 36])
async def test_ids_in_bodies(master, field, value):
    """An id in an answer is an id or a 400. A null answer_id is one left out."""
    session, questions = await master.session(await master.account())
    ann = await master.guest()
    await ann.join(session)
    body = {"quiz_session_id": session, "question_id": questions[0], "answer": 1, "answer_id": str(uuid4())}
    response = await ann.post("/update-score", body | {field: value})
    if (field, value) == ("answer_id", None):
        assert response.status_code == 200
    else:
        assert (response.status_code, response.json()["code"]) == (400, "request_invalid")


async def test_tokens_in_odd_places(master):
    """Strange Authorization headers are a 401."""
    for header in (
        "Bearer",
        "Basic YTpi",
        "bearer  x",
        "Bearer a b c",
        "é".encode(),
        "Bearer " + "x" * 5000,
    ):
        response = await master.http.get(
            "/quizzes", headers=[(b"Authorization", header if isinstance(header, bytes) else header.encode())]
        )
        assert response.status_code == 401, header


@pytest.mark.parametrize(
    "payload", [None, 1, "x", [], {}, {"quiz_session_id": 1}, {"quiz_session_id": "x"}, {"surprise": 1}]
)
@pytest.mark.parametrize("message", ["enter_session", "leave_session", "get_leaderboard", "update_score"])
async def test_socket_messages(system, master, message, payload):
    """A message of the wrong shape is acknowledged with ok: false, and the socket lives on."""
    async with connected(system.base_url, (await master.guest()).tokens["access_token"]) as screen:
        answer = await screen.client.call(message, payload, timeout=5)
        assert (answer["ok"], answer["code"]) == (False, "request_invalid")
        assert (await screen.client.call("get_leaderboard", {"quiz_session_id": str(uuid4())}, timeout=5))["code"] == (
            "session_not_found"
        )


async def test_what_the_auth_server_never_sees(master):
    """Odd addresses and headers are the caller's fault, not ours."""
    for path in ("/assets/%00", "/assets/" + "a" * 300, "/auth/%00", "/auth/%2e%2e/healthz", "/auth/nothing"):
        assert (await master.http.get(path)).status_code in {400, 404}, path
    header = [(b"Authorization", "Bearer é".encode())]
    assert (await master.http.get("/auth/me", headers=header)).status_code in {400, 401}
    handshake = await master.http.get("/socket.io/?EIO=4&transport=polling", headers={"Origin": "http://["})
    assert handshake.status_code == 403


@pytest.mark.parametrize("value", ["Bearer ", "Bearer", " ", "Bearer \x01", "Bearer \x7f", "Bearer x\ty"])
async def test_odd_headers_for_the_auth_server(master, value):
    """They are the caller's doing: never "the auth server does not answer"."""
    for method, status in (("GET", 401), ("PUT", 405)):
        response = await send_raw(master.http.base_url.port, method, "/auth/me", value)
        assert response in {400, status}


async def send_raw(port, method, path, authorization):
    """The status of the answer to a request that no HTTP library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {authorization}\r\n\r\n"
    writer.write(head.encode())
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return int(answer.split()[1])
