"""What a gateway in front of Tiebreak must answer and let through, whichever it is. Told a base URL, and no more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import httpx
import pytest

from tests.bad_tokens import bad_tokens
from tests.client import RIGHT, Quizmaster
from tests.gateway.browser import FRIEND, STRANGER, TRANSPORTS, opened
from tests.pictures import picture

NOBODY = str(uuid4())
PUBLIC = [
    ("GET", "/", {200}),
    ("GET", "/join/123456", {200}),
    ("GET", f"/play/{NOBODY}", {200}),
    ("GET", "/host", {200}),
    ("GET", "/host/quizzes/new", {200}),
    ("GET", "/favicon.svg", {200}),
    ("GET", "/assets/none.js", {404}),
    ("GET", "/healthz", {200}),
    ("GET", "/openapi.json", {200}),
    ("GET", "/names/suggestion", {200}),
    ("GET", "/.well-known/jwks.json", {200}),
    ("GET", "/pin/000000", {404}),
    ("GET", f"/quiz-session/{NOBODY}", {404}),
    ("POST", "/auth/guest", {400}),
    ("POST", "/auth/register", {400}),
    ("POST", "/auth/login", {400}),
    ("POST", "/auth/refresh", {400}),
    ("GET", "/socket.io/?EIO=4&transport=polling", {200}),
]
PRIVATE = [
    ("POST", "/quizzes"),
    ("GET", "/quizzes"),
    ("GET", f"/quizzes/{NOBODY}"),
    ("PUT", f"/quizzes/{NOBODY}"),
    ("DELETE", f"/quizzes/{NOBODY}"),
    ("POST", "/quiz-session"),
    ("GET", "/quiz-session"),
    ("POST", f"/quiz-session/{NOBODY}"),
    ("POST", "/quiz-session/join"),
    ("POST", f"/quiz-session/{NOBODY}/join"),
    ("POST", f"/quiz-session/{NOBODY}/finish"),
    ("GET", f"/quiz-session/{NOBODY}/questions"),
    ("GET", f"/quiz-session/{NOBODY}/leaderboard"),
    ("POST", "/update-score"),
    ("GET", "/auth/me"),
    ("GET", "/what-nobody-wrote-down"),
]
INSIDE = ["/metrics", "/metrics/", "//metrics", "/%6Detrics", "/readyz", "/readyz/", "/x/../metrics", "/healthz/"]
BODY_BYTES = 64 * 1024


# What servers say for browsers' safety: a gateway passes it on, and says it no second time.
SAID_ONCE = (
    "content-security-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "referrer-policy",
    "x-content-type-options",
)


async def test_headers_for_browsers(master: Quizmaster) -> None:
    """Each of them once, on a page; those of every response on an answer of the auth server too."""
    page, granted = await master.http.get("/"), await master.http.post("/auth/guest", json={"name": "Ann"})
    assert {name: len(page.headers.get_list(name)) for name in SAID_ONCE} == dict.fromkeys(SAID_ONCE, 1)
    assert granted.headers.get_list("x-content-type-options") == ["nosniff"]
    assert granted.headers.get_list("cache-control") == ["no-store"]


@pytest.mark.parametrize(("method", "path", "statuses"), PUBLIC)
async def test_public(master: Quizmaster, method: str, path: str, statuses: set[int]) -> None:
    """No token is needed, and a broken one does no harm."""
    for headers in ({}, {"Authorization": "Bearer broken"}):
        response = await master.http.request(method, path, headers=headers)
        assert response.status_code in statuses, response.text


@pytest.mark.parametrize(("method", "path"), PRIVATE)
async def test_private(master: Quizmaster, method: str, path: str) -> None:
    """401 without a token, and the answer says what kind is wanted (RFC 6750)."""
    response = await master.http.request(method, path)
    assert response.status_code == 401, response.text
    assert response.headers["www-authenticate"].startswith("Bearer")


async def test_bad_tokens(master: Quizmaster) -> None:
    """401 for every token that is not exactly one of the auth server's, of now."""
    guest = await master.guest()
    assert (await guest.get(f"/quiz-session/{NOBODY}/leaderboard")).status_code == 404
    for why, token in bad_tokens(guest.tokens["access_token"]).items():
        for scheme in ("Bearer", "Basic"):
            headers = {} if token is None else {"Authorization": f"{scheme} {token}"}
            response = await master.http.get(f"/quiz-session/{NOBODY}/leaderboard", headers=headers)
            assert response.status_code == 401, why


@pytest.mark.parametrize("parameter", ["jwt", "access_token", "token"])
async def test_no_token_in_an_address(master: Quizmaster, parameter: str) -> None:
    """Addresses are logged and shared: a token in one, or in a cookie, is none."""
    token = (await master.account()).tokens["access_token"]
    assert (await master.http.get("/quizzes", params={parameter: token})).status_code == 401
    assert (await master.http.get("/quizzes", headers={"Cookie": f"{parameter}={token}"})).status_code == 401


@pytest.mark.parametrize(("method", "path"), [route for route in PRIVATE if "quizzes" in route[1]][:3])
async def test_guests_do_not_author(master: Quizmaster, method: str, path: str) -> None:
    """A known caller who may not: 403, which says what to do."""
    guest = await master.guest()
    response = await master.http.request(method, path, headers=guest.headers)
    assert response.status_code == 403
    assert response.json()["code"] == "account_needed"


async def test_guests_do_not_host(master: Quizmaster) -> None:
    """Neither do they open sessions or have a list of them."""
    guest = await master.guest()
    assert (await guest.get("/quiz-session")).status_code == 403
    assert (await guest.post("/quiz-session", {"quiz_id": NOBODY, "mode": "self_paced"})).status_code == 403


@pytest.mark.parametrize("path", INSIDE)
async def test_inside(gateway_url: str, path: str) -> None:
    """What the servers tell operators is not there, however it is spelt and whoever asks."""
    host, _, port = gateway_url.partition("://")[2].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port or 80))  # httpx would tidy the path up
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.split(b" ", 2)[1] in {b"404", b"400", b"301", b"401"}
    assert b"python_info" not in answer
    assert b"missing" not in answer.partition(b"\r\n\r\n")[2]


async def test_inside_with_a_token(master: Quizmaster) -> None:
    """A token opens nothing there."""
    host = await master.account()
    for path in ("/metrics", "/metrics/", "/readyz", "/readyz/"):
        assert (await host.get(path)).status_code == 404


async def test_identity_comes_from_the_token(master: Quizmaster) -> None:
    """Headers that say who is calling are believed by nobody."""
    host, guest = await master.account(), await master.guest("Mallory")
    session, _ = await master.session(host)
    names = ("x-user-id", "x-consumer-id", "x-consumer-username", "x-credential-identifier", "x-authenticated-userid")
    claimed = dict.fromkeys(names, host.tokens["user_id"]) | {"x-user-role": "account"}
    response = await master.http.post(f"/quiz-session/{session}/finish", headers=guest.headers | claimed)
    assert response.status_code == 403
    assert (await master.http.get("/quizzes", headers=guest.headers | claimed)).status_code == 403
    assert (await master.http.get("/quizzes", headers=claimed)).status_code == 401


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    """A body whose length is not told beforehand."""
    for start in range(0, len(body), 8192):
        yield body[start : start + 8192]


async def test_size(master: Quizmaster) -> None:
    """64 KB pass, one byte more is 413, with and without its length told before."""
    host = await master.account()
    quiz = {"title": "Long", "questions": [{"type": "true_false", "prompt": "?", "answer": True}]}
    body = json.dumps(quiz).encode()
    most = body + b" " * (BODY_BYTES - len(body))
    headers = host.headers | {"Content-Type": "application/json"}
    assert (await master.http.post("/quizzes", headers=headers, content=most)).status_code == 201
    assert (await master.http.post("/quizzes", headers=headers, content=chunks(most))).status_code == 201
    assert (await master.http.post("/quizzes", headers=headers, content=most + b" ")).status_code == 413
    assert (await master.http.post("/quizzes", headers=headers, content=chunks(most + b" "))).status_code == 413


async def test_images(master: Quizmaster) -> None:
    """An account may send 2 MB to the one route for them; what was stored is for everybody."""
    host, guest = await master.account(), await master.guest()
    most = picture() + bytes(2 * 1024 * 1024 - len(picture()))
    stored = await master.http.post("/images", headers=host.headers, content=chunks(most))
    assert stored.status_code == 201
    assert (await master.http.post("/images", headers=host.headers, content=most + b" ")).status_code == 413
    assert (await master.http.post("/images", headers=guest.headers, content=picture())).status_code == 403
    shown = await master.http.get(f"/images/{stored.json()['image_id']}")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
    assert (await master.http.get(f"/images/{stored.json()['image_id']}/x")).status_code == 401


async def test_request_id(master: Quizmaster) -> None:
    """Every answer has one: the caller's, or a new one."""
    made = {(await master.http.get("/pin/000000")).headers["x-request-id"] for _ in range(3)}
    assert len(made) == 3
    response = await master.http.get("/pin/000000", headers={"X-Request-Id": "trace-me.42"})
    assert response.headers["x-request-id"] == "trace-me.42"


@pytest.mark.parametrize("path", ["/update-score", "/auth/login", f"/quiz-session/{NOBODY}"])
async def test_pages_of_friends(master: Quizmaster, path: str) -> None:
    """A page of a named origin may call with a token, preflight and all."""
    preflight = {
        "Origin": FRIEND,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    response = await master.http.options(path, headers=preflight)
    assert response.status_code in {200, 204}
    assert response.headers["access-control-allow-origin"] == FRIEND
    assert "authorization" in response.headers["access-control-allow-headers"].lower()
    assert "POST" in response.headers["access-control-allow-methods"]
    answer = await master.http.post(path, headers={"Origin": FRIEND})
    assert answer.headers["access-control-allow-origin"] == FRIEND  # also of a 401: or the page could not read it


@pytest.mark.parametrize("path", ["/update-score", "/auth/login", f"/quiz-session/{NOBODY}"])
async def test_pages_of_strangers(master: Quizmaster, path: str) -> None:
    """A page of any other origin may not."""
    headers = {"Origin": STRANGER, "Access-Control-Request-Method": "POST"}
    for response in (await master.http.options(path, headers=headers), await master.http.post(path, headers=headers)):
        assert response.headers.get("access-control-allow-origin") not in {STRANGER, "*"}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_game(gateway_url: str, master: Quizmaster, transport: str) -> None:
    """Register, quiz, session, join, answer, board; over each transport, with screens on several servers."""
    host, ann, ben = await master.account(), await master.guest("Ann"), await master.guest("Ben")
    session, questions = await master.session(host)
    for player in (ann, ben):
        assert (await player.join(session)).status_code == 200
    assert (await ann.join(session)).status_code == 409
    async with AsyncExitStack() as screens:
        callers = [host, ann, ben, ann, ben]
        opening = [opened(gateway_url, caller.tokens["access_token"], TRANSPORTS[transport]) for caller in callers]
        shown = [await screens.enter_async_context(screen) for screen in opening]
        for screen in shown:
            assert (await screen.client.call("enter_session", {"quiz_session_id": session}))["ok"]
        for at, question in enumerate(questions):
            assert (await ann.answer(session, question, RIGHT[at])).json()["correct"]
        answer = {"quiz_session_id": session, "question_id": questions[0], "answer": RIGHT[0]}
        assert (await shown[2].client.call("update_score", answer))["correct"]
        assert (await ben.answer(session, questions[0], RIGHT[0])).status_code == 400
        for screen in shown:
            await screen.until(lambda screen=screen: ranked(screen.of("leaderboard_updating")) == ["Ann", "Ben"])
            if transport != "default":
                assert screen.client.transport() == transport
        if transport == "default":
            assert {screen.client.transport() for screen in shown} == {"websocket"}
    board = await host.leaderboard(session)
    assert [row["name"] for row in board["rows"]] == ["Ann", "Ben"]
    view = (await master.http.get(f"/quiz-session/{session}")).json()
    assert (view["participant_count"], view["answer_count"]) == (2, 5)
    assert (await host.post(f"/quiz-session/{session}/finish")).status_code == 200


def ranked(boards: list[dict]) -> list[str]:
    """The names on the latest board, if it has both."""
    return [row["name"] for row in boards[-1]["rows"]] if boards else []


async def test_quiet_sockets_stay_open(gateway_url: str, master: Quizmaster) -> None:
    """Longer than the 25 s between two pings nobody says anything, and nobody is cut off."""
    token = (await master.guest()).tokens["access_token"]
    async with AsyncExitStack() as screens:
        shown = [
            await screens.enter_async_context(opened(gateway_url, token, transports))
            for transports in TRANSPORTS.values()
        ]
        for _ in range(28):
            await asyncio.sleep(1)
            assert all(screen.client.connected for screen in shown)
        for screen in shown:
            answer = await screen.client.call("get_leaderboard", {"quiz_session_id": NOBODY})
            assert answer["code"] == "session_not_found"


async def test_sockets_of_strangers(gateway_url: str) -> None:
    """The app server's rules for sockets hold behind the gateway: it sees the Host that the browser named."""
    parameters = {"EIO": "4", "transport": "polling"}
    async with httpx.AsyncClient(base_url=gateway_url) as http:
        for origin, status in ((gateway_url, 200), (FRIEND, 200), (STRANGER, 403)):
            response = await http.get("/socket.io/", params=parameters, headers={"Origin": origin})
            assert response.status_code == status, origin
