"""The table of routes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tiebreak.gateway.table import (
    READING,
    ROUTES,
    SOCKET_PING_SECONDS,
    SOCKET_PONG_SECONDS,
    Access,
    Route,
    Target,
    pattern,
    response_seconds,
)

STATIC = Path(__file__).parents[3] / "web" / "public"
SAMPLES = [
    ("GET", "/", "pages"),
    ("GET", "/join/123456", "pages"),
    ("POST", "/join/123456", "everything-else"),
    ("GET", "/join/1/2", "everything-else"),
    ("GET", "/host", "pages"),
    ("GET", "/host/quizzes/new", "pages"),
    ("GET", "/hostile", "everything-else"),
    ("GET", "/assets/a.js", "pages"),
    ("GET", "/pin/123456", "look-ups"),
    ("POST", "/pin/123456", "everything-else"),
    ("GET", "/quiz-session/1", "look-ups"),
    ("POST", "/quiz-session/1", "everything-else"),
    ("GET", "/quiz-session/1/questions", "everything-else"),
    ("POST", "/quiz-session/1/join", "everything-else"),
    ("GET", "/quiz-session/1/results.xlsx", "results"),
    ("GET", "/quiz-session/1/results", "everything-else"),
    ("POST", "/quiz-session/1/results.csv", "everything-else"),
    ("GET", "/quiz-session", "authoring"),
    ("POST", "/quiz-session", "authoring"),
    ("DELETE", "/quizzes/1", "authoring"),
    ("GET", "/quizzesx", "everything-else"),
    ("POST", "/update-score", "everything-else"),
    ("POST", "/auth/guest", "log-ins"),
    ("GET", "/auth", "everything-else"),
    ("GET", "/.well-known/jwks.json", "keys"),
    ("GET", "/.well-known/jwksxjson", "everything-else"),
    ("GET", "/socket.io/", "sockets"),
    ("POST", "/socket.io/", "sockets"),
    ("GET", "/openapi.json", "look-ups"),
    ("GET", "/names/suggestion", "look-ups"),
    ("GET", "/healthz", "gateway-health"),
    ("GET", "/healthz/", "inside"),
    ("GET", "/metrics", "inside"),
    ("GET", "/readyz/", "inside"),
    ("POST", "/metrics", "inside"),
    ("GET", "/metricsx", "everything-else"),
]


def first_match(method: str, path: str) -> Route:
    """The route that counts, as the table says."""
    return next(
        route
        for route in ROUTES
        if (not route.methods or method in route.methods)
        and any(re.fullmatch(pattern(one), path) for one in route.paths)
    )


@pytest.mark.parametrize(("method", "path", "name"), SAMPLES)
def test_first_match_counts(method: str, path: str, name: str) -> None:
    """Every request has a route, and it is this one."""
    assert first_match(method, path).name == name


def test_what_nobody_wrote_down_needs_a_token() -> None:
    """The last route takes everything that is left, and is not public."""
    assert ROUTES[-1].paths == ("/*",)
    assert ROUTES[-1].access is Access.TOKEN
    assert not ROUTES[-1].methods


def test_public_routes_of_the_app_server_only_read() -> None:
    """What everyone may do changes nothing; who is calling over a socket is in its first packet."""
    public = [
        route for route in ROUTES if route.access is Access.PUBLIC and route.target in {Target.APP, Target.APP_STICKY}
    ]
    assert {route.name for route in public if route.methods != READING} == {"sockets"}


def test_whatever_is_passed_on_is_limited() -> None:
    """No route without a limit, but those that the gateway answers itself."""
    passed_on = [route for route in ROUTES if route.target not in {Target.GATEWAY_HEALTH, Target.NOTHING}]
    assert all(route.limit is not None for route in passed_on)


def test_files_beside_the_page_are_public() -> None:
    """A file added to web/public is in the table too."""
    assert {first_match("GET", f"/{path.name}").name for path in STATIC.iterdir()} == {"pages"}


def test_sockets_are_given_time() -> None:
    """Silence on a socket lasts longer than from one ping to the end of waiting for its pong."""
    assert response_seconds(Target.APP_STICKY) > SOCKET_PING_SECONDS + SOCKET_PONG_SECONDS
