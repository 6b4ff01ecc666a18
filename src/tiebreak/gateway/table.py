"""The table: routes, limits and names that every gateway in front of Tiebreak obeys.

The first route that matches counts. In a path, `{…}` stands for one segment and a `*` at the end for anything.
"""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

from tiebreak.http_edge.bodies import LARGEST_BODY_BYTES, LARGEST_IMAGE_BYTES

SOCKET_PING_SECONDS = 25  # Engine.IO's defaults: a quiet connection says something this often …
SOCKET_PONG_SECONDS = 20  # … and is given up so long after that.

STICKY_COOKIE = "tiebreak-route"
REQUEST_ID_HEADER = "x-request-id"
JWKS_PATH = "/.well-known/jwks.json"
READY_PATH = "/readyz"
HEALTH_PATH = "/healthz"

# How soon a new signing key is known to a gateway that fetches keys itself.
KEYS_SECONDS = 5
HEALTH_CHECK_SECONDS = 2
HEALTH_CHECK_TIMEOUT_SECONDS = 3  # /readyz itself waits 2 s for Postgres and Redis
UNHEALTHY_AFTER = 2
RETRIES = 3
CONNECT_SECONDS = 2

CORS_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
CORS_HEADERS = ("authorization", "content-type", REQUEST_ID_HEADER)
CORS_EXPOSED_HEADERS = (REQUEST_ID_HEADER, "retry-after")
CORS_SECONDS = 600

# Headers by which some gateway or other tells who is calling. Ours tells nobody: servers read the token. Whoever sends
# one from outside hopes that somebody behind believes it.
IDENTITY_HEADERS = (
    "x-user-id",
    "x-user-role",
    "x-user-email",
    "x-consumer-id",
    "x-consumer-custom-id",
    "x-consumer-username",
    "x-consumer-groups",
    "x-credential-identifier",
    "x-credential-username",
    "x-authenticated-userid",
    "x-authenticated-scope",
    "x-authenticated-groups",
    "x-anonymous-consumer",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-jwt-payload",
    "x-userinfo",
    "x-real-ip",
    "remote-user",
    "x-remote-user",
    "forwarded",
)
# For gateways that can strip by prefix; names above cover what Kong itself would set.
IDENTITY_PREFIXES = ("x-user-", "x-consumer-", "x-credential-", "x-authenticated-", "x-anonymous-", "x-auth-")


class Access(StrEnum):
    """Who may use a route."""

    PUBLIC = "everyone"
    TOKEN = "whoever has an access token"  # noqa: S105 - a sentence
    ACCOUNT = "whoever has an access token of an account, not of a guest"


class Target(StrEnum):
    """Who answers."""

    AUTH = "auth"
    APP = "app"
    APP_STICKY = "app-sticky"  # the same servers, but a client stays with one: Engine.IO's polling needs that
    GATEWAY_HEALTH = "gateway-health"
    NOTHING = "nothing"  # 404, as if it were not there


class Client(StrEnum):
    """Whose requests are counted together."""

    ADDRESS = "address"
    USER = "user"


class Limit(Struct, frozen=True):
    """How many requests one client may make in a minute; they may come all at once."""

    per: Client
    requests_per_minute: int

    def scaled(self, percent: int) -> int:
        """The limit of a deployment that asks for so many percent of it; at least one."""
        return max(1, self.requests_per_minute * percent // 100)


# Whole schools and halls share one address, so what is counted by address has room for a thousand phones.
LOG_INS = Limit(Client.ADDRESS, 1_200)
LOOK_UPS = Limit(Client.ADDRESS, 6_000)
PAGES = Limit(Client.ADDRESS, 30_000)
SOCKETS = Limit(Client.ADDRESS, 60_000)
CALLS = Limit(Client.USER, 1_200)


class Route(Struct, frozen=True, kw_only=True):
    """Requests with one of these paths and methods (none: all methods)."""

    name: str
    paths: tuple[str, ...]
    target: Target
    access: Access = Access.PUBLIC
    methods: tuple[str, ...] = ()
    limit: Limit | None = None
    largest_body_bytes: int = LARGEST_BODY_BYTES


READING = ("GET", "HEAD")

ROUTES = (
    Route(name="gateway-health", paths=(HEALTH_PATH,), target=Target.GATEWAY_HEALTH),
    # For operators, who reach the servers from inside. With and without trailing slashes: the servers do not mind them.
    Route(name="inside", paths=("/metrics", "/metrics/*", "/readyz", "/readyz/*", "/healthz/*"), target=Target.NOTHING),
    Route(name="keys", paths=(JWKS_PATH,), methods=READING, target=Target.AUTH, limit=LOOK_UPS),
    Route(name="log-ins", paths=("/auth/*",), target=Target.AUTH, limit=LOG_INS),
    # Who is calling is in the first packet of a socket, which the app server reads.
    Route(name="sockets", paths=("/socket.io/*",), target=Target.APP_STICKY, limit=SOCKETS),
    Route(
        name="pages",
        paths=("/", "/join/{pin}", "/play/{quiz_session_id}", "/host", "/host/*", "/assets/*", "/favicon.svg"),
        methods=READING,
        target=Target.APP_STICKY,
        limit=PAGES,
    ),
    Route(
        name="look-ups",
        paths=("/pin/{pin}", "/quiz-session/{quiz_session_id}", "/names/suggestion", "/openapi.json"),
        methods=READING,
        target=Target.APP,
        limit=LOOK_UPS,
    ),
    Route(name="images", paths=("/images/{image_id}",), methods=READING, target=Target.APP, limit=PAGES),
    Route(
        name="new-images",
        paths=("/images",),
        target=Target.APP,
        access=Access.ACCOUNT,
        limit=CALLS,
        largest_body_bytes=LARGEST_IMAGE_BYTES,
    ),
    Route(
        name="authoring",
        paths=("/quizzes", "/quizzes/*", "/quiz-session"),
        target=Target.APP,
        access=Access.ACCOUNT,
        limit=CALLS,
    ),
    # A crowd's results take longer to write than others may be silent: docs/results.md.
    Route(
        name="results",
        paths=tuple(f"/quiz-session/{{quiz_session_id}}/results.{ending}" for ending in ("csv", "json", "xlsx")),
        methods=READING,
        target=Target.APP_STICKY,
        access=Access.TOKEN,
        limit=CALLS,
    ),
    Route(name="everything-else", paths=("/*",), target=Target.APP, access=Access.TOKEN, limit=CALLS),
)


def pattern(path: str) -> str:
    """A regular expression for the whole path (RE2 and PCRE read it alike)."""
    segments = [
        "[^/]+" if part.startswith("{") else ".*" if part == "*" else re.escape(part).replace(r"\-", "-")
        for part in path.split("/")
    ]
    return "/".join(segments)


def response_seconds(target: Target) -> int:
    """How long an upstream may be silent. A polling request waits for news, a WebSocket for the next ping."""
    return SOCKET_PING_SECONDS + SOCKET_PONG_SECONDS + 15 if target is Target.APP_STICKY else 15
