"""POST /update-score has two ways, a lane in the connection and Litestar's route: nobody can tell them apart."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.bad_tokens import bad_tokens
from tests.client import Caller, Quizmaster, quizmaster
from tests.conformance.http_connection import Answer, HttpConnection, connect
from tests.conformance.server_program import Endpoint
from tests.system import System

LANE, ROUTE = "/update-score", "/update-score?x"
ESSENTIAL = ("content-type", "www-authenticate", "retry-after", "allow", "connection")
LARGEST = 64 * 1024


@pytest.fixture
async def master(system: System) -> AsyncIterator[Quizmaster]:
    async with quizmaster(system.base_url) as master:
        yield master


class Scene(NamedTuple):
    """A session and somebody in each situation towards it."""

    endpoint: Endpoint
    ann: Caller
    stranger: Caller
    session: str
    finished: str
    questions: list[str]
    finished_questions: list[str]
    foreign: str

    @classmethod
    async def of(cls, system: System, master: Quizmaster) -> Scene:
        host, ann, stranger = await master.account(), await master.guest("Ann"), await master.guest()
        (session, questions), (finished, over) = await master.session(host), await master.session(host)
        _, foreign = await master.session(host)
        for joined in (session, finished):
            assert (await ann.join(joined)).status_code == 200
        await ann.answer(session, questions[3], "cold")
        await host.post(f"/quiz-session/{finished}/finish")
        port = urlsplit(system.base_url).port
        assert port
        return cls(Endpoint(port, "/"), ann, stranger, session, finished, questions, over, foreign[0])

    def body(self, **changes: object) -> bytes:
        whole = {"quiz_session_id": self.session, "question_id": self.questions[0], "answer": 1} | changes
        return json.dumps(whole).encode()


def post(target: str, body: bytes, *headers: tuple[str, str], length: int | None = None) -> bytes:
    """The request's bytes, with these headers beside Host and Content-Length and nothing else."""
    lines = [f"POST {target} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in headers)]
    if length != -1:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(target: str, body: bytes, *headers: tuple[str, str], size: int = 50) -> bytes:
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    content = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])
    return post(target, content, ("Transfer-Encoding", "chunked"), *headers, length=-1)


def essence(answer: Answer) -> tuple[int, Mapping[str, str | None], object]:
    return answer.status, {name: answer.headers[name] for name in ESSENTIAL}, answer.json()


async def answers(endpoint: Endpoint, *pieces: bytes) -> Answer:
    async with connect(endpoint) as connection:
        for piece in pieces:
            await connection.send(piece)
        return await connection.answer("POST")


async def both(endpoint: Endpoint, request: bytes) -> tuple[int, Mapping[str, str | None], object]:
    """What the route answers, after it was seen that the lane does the same however the request reaches it."""
    route = request.replace(LANE.encode(), ROUTE.encode(), 1)
    expected = essence(await answers(endpoint, route))
    whole = await answers(endpoint, request)
    assert essence(whole) == expected
    head = request.index(b"\r\n\r\n") + 4
    async with connect(endpoint) as connection:
        for pieces in ([request[:head], request[head:]], [request], [request[:40], request[40:]], [request]):
            for piece in pieces:
                await connection.send(piece)
            assert essence(await connection.answer("POST")) == expected
            if expected[1]["connection"] == "close" or expected[0] == 413:
                break
    return expected


BODIES = {
    "good": (lambda scene: scene.body(answer_id=scene.finished), 200),
    "wrong": (lambda scene: scene.body(answer=0, question_id=scene.questions[1], answer_id=scene.session), 400),
    "typed": (lambda scene: scene.body(answer="ein Ä 🦊", question_id=scene.questions[3]), 400),
    "answered before": (lambda scene: scene.body(answer="cold", question_id=scene.questions[3]), 400),
    "foreign question": (lambda scene: scene.body(question_id=scene.foreign), 400),
    "unknown session": (lambda scene: scene.body(quiz_session_id=str(uuid4())), 403),
    "finished": (
        lambda scene: scene.body(quiz_session_id=scene.finished, question_id=scene.finished_questions[0]),
        400,
    ),
    "no answer of this type": (lambda scene: scene.body(answer="x"), 400),
    "index too high": (lambda scene: scene.body(answer=3), 400),
    "number too high": (lambda scene: scene.body(answer=10**40), 400),
    "no number": (lambda scene: scene.body(answer=1.5), 400),
    "id of another shape": (lambda scene: scene.body(question_id="x"), 400),
    "unknown field": (lambda scene: scene.body(surprise=1), 400),
    "field left out": (lambda _: b"{}", 400),
    "empty": (lambda _: b"", 400),
    "broken": (lambda scene: scene.body()[:-1], 400),
    "two": (lambda scene: scene.body() * 2, 400),
    "null": (lambda _: b"null", 400),
    "blank": (lambda _: b" ", 400),
    "not UTF-8": (lambda scene: scene.body(answer="x").replace(b'"x"', b'"\xff"'), 400),
    "lone surrogate": (lambda scene: scene.body(answer="\ud800"), 400),
    "deep": (lambda _: b"[" * 30_000 + b"]" * 30_000, 400),
    "64 KB": (lambda scene: scene.body(answer_id=scene.finished).ljust(LARGEST), 200),
    "64 KB and one": (lambda scene: scene.body().ljust(LARGEST + 1), 413),
}


@pytest.mark.parametrize("kind", BODIES)
async def test_bodies(system: System, master: Quizmaster, kind: str) -> None:
    """Every refusal of an answer, whole and in chunks."""
    scene = await Scene.of(system, master)
    make, status = BODIES[kind]
    body = make(scene)
    headers = list(scene.ann.headers.items())
    assert (await both(scene.endpoint, post(LANE, body, *headers)))[0] == status
    assert (await both(scene.endpoint, chunked(LANE, body, *headers, size=5_000)))[0] == status


async def test_who_has_not_joined(system: System, master: Quizmaster) -> None:
    """403, whatever the question."""
    scene = await Scene.of(system, master)
    for body in (scene.body(), scene.body(question_id=scene.foreign), scene.body(answer="x")):
        status, _, problem = await both(scene.endpoint, post(LANE, body, *scene.stranger.headers.items()))
        assert (status, problem["code"]) == (403, "not_joined")


async def test_tokens(system: System, master: Quizmaster) -> None:
    """Without a good token 401, before the body is looked at."""
    scene = await Scene.of(system, master)
    good = scene.ann.tokens["access_token"]
    tokens = bad_tokens(good)
    headers = [[("Authorization", f"Bearer {token}")] if token else [] for token in tokens.values()]
    headers += [
        [("Authorization", it)] for it in ("", "Bearer", "Bearer ", "Basic YTpi", good, f"Bearer {good} x", "Bearer é")
    ]
    for fields in headers:
        for body in (scene.body(), b"", b"{"):
            status, head, _ = await both(scene.endpoint, post(LANE, body, *fields))
            assert (status, head["www-authenticate"]) == (401, "Bearer"), fields


async def test_headers(system: System, master: Quizmaster) -> None:
    """Spelling, order and company of the headers."""
    scene = await Scene.of(system, master)
    body = scene.body(answer_id=str(uuid4()))
    bearer = scene.ann.headers["Authorization"]
    bad = "Bearer nobody"
    good = [
        [("authorization", bearer)],
        [("AUTHORIZATION", bearer)],
        [("Authorization", bearer.replace("Bearer", "bearer"))],
        [("Authorization", bearer.replace("Bearer", "BEARER "))],
        [("Authorization", f"  {bearer}\t ")],
        [("Authorization", bearer), ("Authorization", bad)],
        [("Authorization", bearer), ("authorization", bad)],
        [("Authorization", bearer), ("Content-Type", "text/plain")],
        [("Authorization", bearer), ("Content-Type", "application/json; charset=utf-8"), ("X-Request-Id", "a b")],
        [("Authorization", bearer), ("Connection", "keep-alive"), ("Keep-Alive", "timeout=5")],
        [("Authorization", bearer), ("Connection", "close")],
        [("Authorization", bearer), ("connection", "Close"), ("Connection", "keep-alive")],
        [("Authorization", bearer), *((f"X-{number}", "y") for number in range(200))],
        [("Authorization", bearer), ("Cookie", "z" * 20_000)],
        [("Authorization", bearer), ("Upgrade", "h2c"), ("Connection", "x")],
    ]
    for fields in good:
        assert (await both(scene.endpoint, post(LANE, body, *fields)))[0] == 200, fields
    for fields in ([("Authorization", bad), ("Authorization", bearer)], [("authorization", bad), *good[0]]):
        assert (await both(scene.endpoint, post(LANE, body, *fields)))[0] == 401, fields


MALFORMED = {
    "no host": b"POST /update-score HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
    "two lengths": b"POST /update-score HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "a length that is none": b"POST /update-score HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}",
    "length and chunks": (
        b"POST /update-score HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"
    ),
    "a header without a name": b"POST /update-score HTTP/1.1\r\nHost: x\r\n: y\r\nContent-Length: 2\r\n\r\n{}",
    "a NUL": b"POST /update-score HTTP/1.1\r\nHost: x\r\nA: \0\r\nContent-Length: 2\r\n\r\n{}",
    "folded": b"POST /update-score HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\n{}",
    "another version": b"POST /update-score HTTP/1.7\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("kind", MALFORMED)
async def test_malformed(system: System, kind: str) -> None:
    """What is no good HTTP gets the same 400 on both, and the connection's end."""
    endpoint = Endpoint(urlsplit(system.base_url).port or 0, "/")
    said = []
    for request in (MALFORMED[kind], MALFORMED[kind].replace(b"score", b"score?x")):
        async with connect(endpoint) as connection:
            await connection.send(request)
            answer = await connection.answer("POST")
            said.append((answer.status, answer.body))
            if answer.status == 400:
                assert await connection.rest() == b""
    assert said[0] == said[1]


async def test_other_ways_to_the_same_address(system: System, master: Quizmaster) -> None:
    """HTTP/1.0, absolute and percent-encoded targets, a slash at the end, Expect: all lead to an outcome."""
    scene = await Scene.of(system, master)
    body = scene.body(answer_id=str(uuid4()))
    request = post(LANE, body, *scene.ann.headers.items())
    outcome = (await answers(scene.endpoint, request)).json()
    for target in ("http://x/update-score", "/%75pdate-score", "/update-score/", "/update-score?", "/update-score#x"):
        answer = await answers(scene.endpoint, request.replace(LANE.encode(), target.encode(), 1))
        assert (answer.status, answer.json()) == (200, outcome), target
    async with connect(scene.endpoint) as connection:
        await connection.send(request.replace(b"HTTP/1.1", b"HTTP/1.0", 1))
        assert (await connection.answer("POST")).json() == outcome
        assert await connection.rest() == b""
    expecting = post(LANE, body, ("Expect", "100-continue"), *scene.ann.headers.items())
    async with connect(scene.endpoint) as connection:
        await connection.send(expecting.removesuffix(body))
        assert (await connection.answer("POST")).status == 100
        await connection.send(body)
        assert (await connection.answer("POST")).json() == outcome
        await connection.send(request)
        assert (await connection.answer("POST")).json() == outcome


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
async def test_other_methods(system: System, method: str) -> None:
    """405, and which methods there are."""
    endpoint = Endpoint(urlsplit(system.base_url).port or 0, "/")
    async with connect(endpoint) as connection:
        answer = await connection.request(method, LANE, None if method in {"GET", "HEAD"} else b"{}")
        assert answer.status == 405
        assert "POST" in answer.headers["Allow"]
        assert (await connection.request("POST", LANE, b"{}")).status == 401


async def test_the_next_request_on_the_connection(system: System, master: Quizmaster) -> None:
    """A lane's request may follow the route's and the other way round; a token's owner is looked at each time."""
    scene = await Scene.of(system, master)
    body = scene.body(answer_id=str(uuid4()))
    ann, stranger = list(scene.ann.headers.items()), list(scene.stranger.headers.items())
    expected = {LANE: 200, ROUTE: 200, "": 403}
    async with connect(scene.endpoint) as connection:
        for target in (LANE, LANE, ROUTE, LANE, "", LANE, "", "", ROUTE, LANE):
            await connection.send(post(target or LANE, body, *(ann if target else stranger)))
            assert (await connection.answer("POST")).status == expected[target]


async def test_a_token_that_is_revoked_between_two_requests(system: System, master: Quizmaster) -> None:
    """The same bytes on the same connection: taken before, refused after the log-out."""
    scene = await Scene.of(system, master)
    request = post(LANE, scene.body(answer_id=str(uuid4())), *scene.ann.headers.items())
    async with connect(scene.endpoint) as connection:
        for _ in range(3):
            await connection.send(request)
            assert (await connection.answer("POST")).status == 200
        assert (await scene.ann.post("/auth/logout")).status_code == 204
        await until_refused(connection, request)


async def until_refused(connection: HttpConnection, request: bytes) -> None:
    while (await again(connection, request)).status == 200:
        pass
    assert (await again(connection, request)).json()["code"] == "token_invalid"


async def again(connection: HttpConnection, request: bytes) -> Answer:
    await connection.send(request)
    return await connection.answer("POST")


async def test_openapi(master: Quizmaster) -> None:
    """The lane's route is described like any other, with what it refuses."""
    document = (await master.http.get("/openapi.json")).json()
    responses = document["paths"]["/update-score"]["post"]["responses"]
    assert responses.keys() == {"200", "400", "401", "403", "413", "429", "503"}
    for status in responses.keys() - {"200"}:
        assert responses[status]["content"].keys() == {"application/problem+json"}
