"""Every route and every message × everybody × whose object it is: a table, and a new route without a row fails.

Everybody stands in some relation to the owner's quiz and session. There is a second account, the rival, with a quiz and
a session of its own, where the foreigner plays: the same table must hold with the two sides exchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest
import socketio

from tests.bad_tokens import bad_tokens
from tests.client import QUESTIONS, RIGHT, Caller, Quizmaster, Screen, connected, quizmaster
from tests.pictures import picture
from tests.system import System
from tiebreak.app_server.app import http_app
from tiebreak.app_server.sockets import socket_server
from tiebreak.auth_server.routes import ROUTES as AUTH_ROUTES
from tiebreak.http_edge.application import application
from tiebreak.socket_adapter.server import Limits
from tiebreak.socket_adapter.socket_io.adapter import LocalAdapter
from tiebreak.tokens import Verifier

# Whoever may do most comes last: a cell must not take the object away from the cells behind it.
ROLES = ("nobody", "expired", "ended", "stranger", "foreigner", "participant", "rival", "owner")
EXCHANGED = {"foreigner": "participant", "participant": "foreigner", "rival": "owner", "owner": "rival"}
SIDES = ("owner's", "rival's", "unknown", "malformed")


class Row(NamedTuple):
    """The statuses of a route for each of ROLES, in their order: for the owner's object, one that is not, no id."""

    owners: str
    unknown: str = ""
    malformed: str = ""
    path: str | None = None
    body: Any = None
    content: bytes | None = None


QUIZ = {"title": "Another title", "questions": QUESTIONS}
OPEN = {"quiz_id": "{quiz}", "mode": "self_paced"}
ANSWER = {"quiz_session_id": "{session}", "question_id": "{question}", "answer": RIGHT[0], "answer_id": "{answer_id}"}
EVERYONE = "200 200 200 200 200 200 200 200"
NOT_FOUND = "404 404 404 404 404 404 404 404"
ALL_400 = "400 400 400 400 400 400 400 400"
# Guests, the participant among them, write and host nothing, whatever they name.
NO_SUCH_QUIZ = "401 401 401 403 403 403 404 404"
NO_QUIZ_ID = "401 401 401 403 403 403 400 400"
OWNERS_QUIZ = "401 401 401 403 403 403 403 200"
NO_SUCH_SESSION = "401 401 401 404 404 404 404 404"
NO_SESSION_ID = "401 401 401 400 400 400 400 400"
HOSTS = "401 401 401 403 403 403 403 200"
ANY_TOKEN = "401 401 401 200 200 200 200 200"

#                                 role:   nobody, expired, ended, stranger, foreigner, participant, rival, owner
TABLE: dict[tuple[str, str], Row] = {
    ("GET", "/quizzes"): Row("401 401 401 403 403 403 200 200"),
    ("POST", "/quizzes"): Row("401 401 401 403 403 403 201 201", body=QUIZ),
    ("GET", "/quizzes/{quiz_id}"): Row(OWNERS_QUIZ, NO_SUCH_QUIZ, NO_QUIZ_ID),
    ("PUT", "/quizzes/{quiz_id}"): Row(OWNERS_QUIZ, NO_SUCH_QUIZ, NO_QUIZ_ID, body=QUIZ),
    ("DELETE", "/quizzes/{quiz_id}"): Row("401 401 401 403 403 403 403 204", NO_SUCH_QUIZ, NO_QUIZ_ID),
    ("POST", "/images"): Row("401 401 401 403 403 403 201 201", content=picture()),
    # Whoever was told an image's id may see it; nobody has been told these.
    ("GET", "/images/{image_id}"): Row(NOT_FOUND, NOT_FOUND, ALL_400),
    ("GET", "/quiz-session"): Row("401 401 401 403 403 403 200 200"),
    ("POST", "/quiz-session"): Row("401 401 401 403 403 403 403 201", NO_SUCH_QUIZ, NO_QUIZ_ID, body=OPEN),
    ("GET", "/quiz-session/{quiz_session_id}"): Row(EVERYONE, NOT_FOUND, ALL_400),
    ("POST", "/quiz-session/{quiz_session_id}/join"): Row(
        "401 401 401 200 200 409 200 200", NO_SESSION_ID, NO_SESSION_ID, body={}
    ),
    ("POST", "/quiz-session/join"): Row(NO_SESSION_ID),
    ("GET", "/quiz-session/{quiz_session_id}/questions"): Row(
        "401 401 401 403 403 200 403 200", NO_SUCH_SESSION, NO_SESSION_ID
    ),
    ("GET", "/quiz-session/{quiz_session_id}/leaderboard"): Row(ANY_TOKEN, NO_SUCH_SESSION, NO_SESSION_ID),
    **{
        ("GET", f"/quiz-session/{{quiz_session_id}}/{what}"): Row(HOSTS, NO_SUCH_SESSION, NO_SESSION_ID)
        for what in ("results", "results.json", "results.csv", "results.xlsx", "board-history")
    },
    ("POST", "/quiz-session/{quiz_session_id}/finish"): Row(
        "401 401 401 403 403 403 403 200", NO_SUCH_SESSION, NO_SESSION_ID
    ),
    # Theirs is self-paced: whoever may look, or lead, learns that there is no game. See test_live_roles.py.
    ("GET", "/quiz-session/{quiz_session_id}/game"): Row(
        "401 401 401 403 403 409 403 409", NO_SUCH_SESSION, NO_SESSION_ID
    ),
    ("POST", "/quiz-session/{quiz_session_id}/game"): Row(
        "401 401 401 403 403 403 403 409", NO_SUCH_SESSION, NO_SESSION_ID, body={"command": "start", "step": 0}
    ),
    ("GET", "/quiz-session/{quiz_session_id}/my-result"): Row(
        "401 401 401 409 409 409 409 409", NO_SUCH_SESSION, NO_SESSION_ID
    ),
    # Also the host has to join to answer.
    ("POST", "/update-score"): Row(
        "401 401 401 403 403 200 403 403", "401 401 401 403 403 403 403 403", NO_SESSION_ID, body=ANSWER
    ),
    ("GET", "/quiz-session/{quiz_session_id}/participants"): Row(
        HOSTS, NO_SUCH_SESSION, NO_SESSION_ID, path="/quiz-session/{live}/participants"
    ),
    ("POST", "/quiz-session/{quiz_session_id}/participants/{quiz_session_participant_id}"): Row(
        HOSTS,
        NO_SUCH_SESSION,
        NO_SESSION_ID,
        path="/quiz-session/{live}/participants/{participant}",
        body={"action": "extra_time", "percent": 25},
    ),
    ("GET", "/quiz-session/{quiz_session_id}/hosts"): Row(
        HOSTS, NO_SUCH_SESSION, NO_SESSION_ID, path="/quiz-session/{live}/hosts"
    ),
    # The host may ask for an account that is not there.
    ("POST", "/quiz-session/{quiz_session_id}/hosts"): Row(
        "401 401 401 403 403 403 403 404",
        NO_SUCH_SESSION,
        NO_SESSION_ID,
        path="/quiz-session/{live}/hosts",
        body={"email": "nobody@example.com"},
    ),
    ("DELETE", "/quiz-session/{quiz_session_id}/hosts/{user_id}"): Row(
        "401 401 401 403 403 403 403 204",
        NO_SUCH_SESSION,
        NO_SESSION_ID,
        path="/quiz-session/{live}/hosts/{answer_id}",
    ),
    ("GET", "/names/suggestion"): Row(EVERYONE),
    ("GET", "/pin/{pin}"): Row(EVERYONE, NOT_FOUND, NOT_FOUND),
    ("GET", "/openapi.json"): Row(EVERYONE),
    ("GET", "/healthz"): Row(EVERYONE),
    ("GET", "/readyz"): Row(EVERYONE),
    ("GET", "/metrics"): Row(EVERYONE),
    # The page is the same for everybody. What it shows is asked for by the routes above.
    ("GET", "/"): Row(EVERYONE),
    ("GET", "/host"): Row(EVERYONE),
    ("GET", "/host/{screen}"): Row(EVERYONE, path="/host/session/{session}"),
    ("GET", "/join/{pin}"): Row(EVERYONE),
    ("GET", "/play/{quiz_session_id}"): Row(EVERYONE),
    ("GET", "/favicon.svg"): Row(EVERYONE),
    ("GET", "/assets/{file_path}"): Row(NOT_FOUND, path="/assets/../index.html"),
    ("HEAD", "/assets/{file_path}"): Row(NOT_FOUND, path="/assets/none.js"),
    # The auth server's.
    ("GET", "/.well-known/jwks.json"): Row(EVERYONE),
    ("POST", "/auth/guest"): Row(EVERYONE, body={"name": "Another"}),
    ("POST", "/auth/register"): Row(ALL_400, body={"email": "no e-mail", "password": "short", "name": "X"}),
    ("POST", "/auth/login"): Row(
        "401 401 401 401 401 401 401 401", body={"email": "nobody@example.com", "password": "correct horse battery"}
    ),
    ("POST", "/auth/refresh"): Row("401 401 401 401 401 401 401 401", body={"refresh_token": "nobody's"}),
    # An access token of a log-in that has ended still tells the auth server who that was (docs/decisions/0015).
    ("GET", "/auth/me"): Row("401 401 200 200 200 200 200 200"),
    # Somebody's refresh token ends that log-in, an access token its own: there is no way to name another's.
    ("POST", "/auth/logout"): Row("401 401 401 401 401 401 401 401", body={"refresh_token": "nobody's"}),
    ("GET", "/auth/{rest}"): Row(NOT_FOUND, path="/auth/nothing"),
    ("POST", "/auth/{rest}"): Row(NOT_FOUND, path="/auth/../metrics/x"),
    ("PUT", "/auth/{rest}"): Row(NOT_FOUND, path="/auth/nothing"),
    ("PATCH", "/auth/{rest}"): Row(NOT_FOUND, path="/auth/nothing"),
    ("DELETE", "/auth/{rest}"): Row(NOT_FOUND, path="/auth/nothing"),
    ("GET", "/auth/openapi.json"): Row(EVERYONE),
}
# Where Litestar would put pages of its own.
NOWHERE = "/schema"


class Side(NamedTuple):
    """What the ids in paths and bodies stand for."""

    quiz: str
    session: str
    question: str
    pin: str
    live: str
    participant: str

    def filled(self, template: Any) -> Any:
        """The template with this side's ids."""
        if isinstance(template, dict):
            return {name: self.filled(value) for name, value in template.items()}
        if not isinstance(template, str):
            return template
        quiz = {"quiz_id": self.quiz, "image_id": self.quiz}
        ids = self._asdict() | quiz | {"quiz_session_id": self.session, "answer_id": str(uuid4())}
        return template.format(**ids) if "{" in template else template


UNKNOWN = Side(str(uuid4()), str(uuid4()), str(uuid4()), "000000000", str(uuid4()), str(uuid4()))
MALFORMED = Side("x", "x", "x", "x", "x", "x")


class Cast(NamedTuple):
    """Everybody, and what the owner and the rival have."""

    callers: Mapping[str, Caller]
    sides: Mapping[str, Side]


@pytest.fixture(scope="module")
def people(system: System) -> dict[str, dict[str, Any]]:
    """Everybody's tokens; one of their log-ins has ended, and all servers know."""

    async def arrive() -> dict[str, dict[str, Any]]:
        async with quizmaster(system.base_url) as master:
            callers = {role: await master.account(role) for role in ("owner", "rival")}
            callers |= {role: await master.guest(role) for role in ("ended", "stranger", "participant", "foreigner")}
            assert (await callers["ended"].post("/auth/logout")).status_code == 204
            async with asyncio.timeout(20):
                while (await callers["ended"].get(f"/quiz-session/{uuid4()}/questions")).status_code != 401:
                    await asyncio.sleep(0.05)
            return {role: caller.tokens for role, caller in callers.items()}

    return asyncio.run(arrive())


@pytest.fixture
async def cast(master: Quizmaster, people: dict[str, dict[str, Any]]) -> Cast:
    """They, with quizzes and sessions of this test's own."""
    callers = {role: Caller(master.http, tokens) for role, tokens in people.items()}
    callers["nobody"] = Caller(master.http, people["ended"])
    callers["nobody"].headers = {}
    callers["expired"] = Caller(master.http, people["owner"])
    expired = bad_tokens(people["owner"]["access_token"])["expired"]
    callers["expired"].headers = {"Authorization": f"Bearer {expired}"}
    sides = {"unknown": UNKNOWN, "malformed": MALFORMED}
    for name, host, player in (("owner's", "owner", "participant"), ("rival's", "rival", "foreigner")):
        quiz, questions = await master.quiz(callers[host])
        opened, live = [
            (await callers[host].post("/quiz-session", {"quiz_id": quiz, "mode": mode})).json()
            for mode in ("self_paced", "live")
        ]
        joined = [await callers[player].join(it["quiz_session_id"]) for it in (opened, live)]
        assert [it.status_code for it in joined] == [200, 200]
        participant = joined[1].json()["quiz_session_participant_id"]
        sides[name] = Side(
            quiz, opened["quiz_session_id"], questions[0], opened["pin"], live["quiz_session_id"], participant
        )
    return Cast(callers, sides)


def expected_of(row: Row, side: str) -> dict[str, str]:
    """By role, in the order of trying."""
    line = {"owner's": row.owners, "rival's": row.owners, "unknown": row.unknown, "malformed": row.malformed}[side]
    by_role = dict(zip(ROLES, line.split(), strict=bool(line)))
    return {EXCHANGED.get(role, role): status for role, status in by_role.items()} if side == "rival's" else by_role


@pytest.mark.parametrize(("method", "path"), TABLE)
async def test_routes(master: Quizmaster, cast: Cast, method: str, path: str) -> None:
    """Each cell of the table, over HTTP; a refusal is a problem document and shows nothing of the object."""
    row = TABLE[method, path]
    for side_name in SIDES:
        side = cast.sides[side_name]
        for role, status in expected_of(row, side_name).items():
            response = await master.http.request(
                method,
                side.filled(row.path or path),
                headers=cast.callers[role].headers,
                **({"content": row.content} if row.content else {"json": side.filled(row.body)}),
            )
            cell = f"{method} {path}: {role}, {side_name} object"
            assert str(response.status_code) == status, f"{cell}: {response.text}"
            if response.status_code >= 400 and method != "HEAD":
                assert response.json()["status"] == response.status_code, cell
                assert side_name in {"malformed"} or side.question not in response.text, cell
                assert "A quiz" not in response.text, cell


def parts() -> dict[str, Any]:
    """Names of what handlers ask for: enough to list the routes."""
    names = (
        "accounts access_tokens logins pool doctor leaderboards pin_misses join_limit ticks questions answers joins "
        "boards counted_sessions session_ends images verifier results host_limit presence room_members"
    )
    return dict.fromkeys(names.split())


def test_no_route_without_a_row() -> None:
    """What the servers themselves say they answer is what the table has, no more and no less."""
    servers = (
        http_app(parts(), auth_client=httpx.AsyncClient(), forward_auth=True),
        application(AUTH_ROUTES, parts(), outages=()),
    )
    served = {
        (method, route.path_format)
        for server in servers
        for route in server.routes
        for method in getattr(route, "methods", ["a route of another kind"])
        if method != "OPTIONS"
    }
    assert served == set(TABLE)


async def test_nothing_is_where_litestar_puts_its_own_pages(master: Quizmaster) -> None:
    """They would load scripts from elsewhere into our origin."""
    for page in ("", "/openapi.json", "/openapi.yaml", "/swagger", "/redoc", "/elements", "/rapidoc", "/scalar", "/x"):
        path = NOWHERE + page
        response = await master.http.get(path)
        assert (response.status_code, response.json()["code"]) == (404, "route_not_found"), path


async def test_lists_show_ones_own(cast: Cast) -> None:
    """Nobody's quizzes and sessions are in another's lists."""
    for role, side in (("owner", "owner's"), ("rival", "rival's")):
        quizzes = (await cast.callers[role].get("/quizzes")).json()["quizzes"]
        sessions = (await cast.callers[role].get("/quiz-session")).json()["quiz_sessions"]
        [other] = {"owner's", "rival's"} - {side}
        ids = {quiz["quiz_id"] for quiz in quizzes}, {session["quiz_session_id"] for session in sessions}
        for found, own, others in zip(ids, cast.sides[side][:2], cast.sides[other][:2], strict=True):
            assert own in found
            assert others not in found


# --- sockets ---------------------------------------------------------------------------------------------------------

# Nobody, an expired token and an ended log-in get no socket: the codes of the others.
MESSAGES: dict[str, Row] = {
    #                          stranger, foreigner, participant, rival, owner
    "enter_session": Row(
        "not_joined not_joined ok not_joined ok",
        "session_not_found session_not_found session_not_found session_not_found session_not_found",
        "request_invalid request_invalid request_invalid request_invalid request_invalid",
        body={"quiz_session_id": "{session}"},
    ),
    "get_game": Row(
        "not_joined not_joined session_not_live not_joined session_not_live",
        "session_not_found session_not_found session_not_found session_not_found session_not_found",
        "request_invalid request_invalid request_invalid request_invalid request_invalid",
        body={"quiz_session_id": "{session}"},
    ),
    "get_my_result": Row(
        "session_not_live session_not_live session_not_live session_not_live session_not_live",
        "session_not_found session_not_found session_not_found session_not_found session_not_found",
        "request_invalid request_invalid request_invalid request_invalid request_invalid",
        body={"quiz_session_id": "{session}"},
    ),
    # To leave is never refused: nobody learns from it whether there is such a session.
    "leave_session": Row(
        "ok ok ok ok ok",
        "ok ok ok ok ok",
        "request_invalid request_invalid request_invalid request_invalid request_invalid",
        body={"quiz_session_id": "{session}"},
    ),
    "get_leaderboard": Row(
        "ok ok ok ok ok",
        "session_not_found session_not_found session_not_found session_not_found session_not_found",
        "request_invalid request_invalid request_invalid request_invalid request_invalid",
        body={"quiz_session_id": "{session}"},
    ),
    "update_score": Row(
        "not_joined not_joined ok not_joined not_joined",
        "not_joined not_joined not_joined not_joined not_joined",
        "request_invalid request_invalid request_invalid request_invalid request_invalid",
        body=ANSWER,
    ),
    # Its object is a token: test_renewing_with_another_token.
    "renew_token": Row(
        "token_invalid token_invalid token_invalid token_invalid token_invalid", body={"token": "nobody's"}
    ),
}
WITHOUT_SOCKET = ROLES[:3]
WITH_SOCKET = ROLES[3:]


@pytest.fixture
async def screens(system: System, cast: Cast) -> AsyncIterator[dict[str, Screen]]:
    """A socket of each who gets one."""
    async with AsyncExitStack() as stack:
        yield {
            role: await stack.enter_async_context(connected(system.base_url, cast.callers[role].tokens["access_token"]))
            for role in WITH_SOCKET
        }


def code_of(acknowledgement: dict[str, Any]) -> str:
    return "ok" if acknowledgement["ok"] else acknowledgement["code"]


@pytest.mark.parametrize("message", MESSAGES)
async def test_messages(cast: Cast, screens: dict[str, Screen], message: str) -> None:
    """Each cell of the table, over sockets."""
    row = MESSAGES[message]
    for side_name in SIDES:
        lines = {"owner's": row.owners, "rival's": row.owners, "unknown": row.unknown, "malformed": row.malformed}
        if not (line := lines[side_name]):
            continue
        for role, expected in zip(WITH_SOCKET, line.split(), strict=True):
            actor = EXCHANGED.get(role, role) if side_name == "rival's" else role
            payload = cast.sides[side_name].filled(row.body)
            acknowledgement = await screens[actor].client.call(message, payload, timeout=10)
            assert code_of(acknowledgement) == expected, f"{message}: {actor}, {side_name} object"


async def test_no_message_without_a_row() -> None:
    """What the socket server itself handles is what the table has."""
    nothing: Any = None
    sockets = socket_server(
        origins="",
        verifier=Verifier(nothing, nothing),
        pool=nothing,
        boards=nothing,
        answers=nothing,
        telling=nothing,
        my_results=nothing,
        presence=nothing,
        limits=Limits(1, 1),
        clock=nothing,
        adapter=LocalAdapter,
        on_recovered=nothing,
        outages=(),
    )
    assert set(sockets.sockets._handlers) == set(MESSAGES)


@pytest.mark.parametrize("role", WITHOUT_SOCKET)
async def test_no_socket_without_a_valid_token(system: System, cast: Cast, role: str) -> None:
    """Neither by WebSocket nor by long-polling."""
    token = cast.callers[role].headers.get("Authorization", "").removeprefix("Bearer ") or None
    for transport in ("websocket", "polling"):
        with pytest.raises(socketio.exceptions.ConnectionError):
            async with connected(system.base_url, token, transports=[transport]):
                pass


async def test_renewing_with_another_token(cast: Cast, screens: dict[str, Screen]) -> None:
    """A socket stays its user's: with somebody else's token, however good, it becomes nobody else."""
    for role in WITH_SOCKET:
        for other in WITH_SOCKET:
            payload = {"token": cast.callers[other].tokens["access_token"]}
            acknowledgement = await screens[role].client.call("renew_token", payload, timeout=10)
            assert code_of(acknowledgement) == ("ok" if role == other else "token_invalid"), (role, other)


async def test_who_may_not_enter_hears_nothing(cast: Cast, screens: dict[str, Screen]) -> None:
    """A room's messages reach those who were let into it, whatever others have tried."""
    session, question = cast.sides["owner's"].session, cast.sides["owner's"].question
    for role in ("stranger", "foreigner", "rival", "participant"):
        for event in ("enter_session", "join", "subscribe", "room"):
            await screens[role].client.call(event, {"quiz_session_id": session}, timeout=10)
    await cast.callers["participant"].answer(session, question, RIGHT[0])
    heard = screens["participant"]
    await heard.until(lambda: heard.of("leaderboard_updating") and heard.of("score_update"))
    # What comes behind it on the same sockets has overtaken nothing.
    for role in ("stranger", "foreigner", "rival"):
        await screens[role].client.call("leave_session", {"quiz_session_id": session}, timeout=10)
        assert screens[role].received == [], role


HOSTS_WORDS = (
    "finish",
    "finish_session",
    "open_session",
    "start",
    "next_question",
    "kick",
    "host",
    "become_host",
    "close",
)


async def test_a_player_cannot_act_as_host(cast: Cast, screens: dict[str, Screen]) -> None:
    """Neither by a message, nor by a field in one or in a body, nor by a header: the session goes on."""
    side, player = cast.sides["owner's"], cast.callers["participant"]
    owner = cast.callers["owner"].tokens["user_id"]
    for event in HOSTS_WORDS:
        payload = {"quiz_session_id": side.session}
        acknowledgement = await screens["participant"].client.call(event, payload, timeout=10)
        assert code_of(acknowledgement) == "message_unknown"
    for field in ("host_id", "user_id", "role", "owner_id", "quiz_session_participant_id", "score", "correct"):
        for path, body in (
            (f"/quiz-session/{side.session}/join", {"name": "Ann"}),
            ("/update-score", side.filled(ANSWER)),
        ):
            response = await player.post(path, body | {field: owner})
            assert (response.status_code, response.json()["code"]) == (400, "request_invalid"), (path, field)
        payload = side.filled(ANSWER) | {field: owner}
        acknowledgement = await screens["participant"].client.call("update_score", payload, timeout=10)
        assert code_of(acknowledgement) == "request_invalid"
    for header in ("X-User-Id", "X-User-Role", "X-Consumer-Username", "X-Forwarded-User", "X-Original-URL"):
        headers = player.headers | {header: owner}
        response = await player.http.post(f"/quiz-session/{side.session}/finish", headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "not_the_host")
    assert (await player.get(f"/quiz-session/{side.session}")).json()["state"] == "open"
