"""The ASGI application: the routes, and the parts they may use."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
from litestar import Litestar, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from tiebreak import __version__
from tiebreak.app_server.callers import account_holder, authenticated, not_there
from tiebreak.app_server.routes import answers, operations, quiz_sessions, quizzes
from tiebreak.app_server.routes.auth_forward import auth_forward_routes
from tiebreak.app_server.routes.web_client import web_client_routes
from tiebreak.database.pool import OUTAGES as DATABASE_OUTAGES
from tiebreak.http_edge.application import application
from tiebreak.http_edge.health import HEALTH_ROUTES
from tiebreak.redis_client import OUTAGES as CACHE_OUTAGES
from tiebreak.redis_client import RedisError

PUBLIC = [
    quiz_sessions.show_session,
    quiz_sessions.find_by_pin,
    operations.show_openapi,
    *HEALTH_ROUTES,
]
PRIVATE = [
    answers.update_score,
    quiz_sessions.finish_session,
    quiz_sessions.join_nothing,
    quiz_sessions.join_session,
    quiz_sessions.show_questions,
    quiz_sessions.show_leaderboard,
]
FOR_ACCOUNTS = [
    quizzes.create_quiz,
    quizzes.list_quizzes,
    quizzes.show_quiz,
    quizzes.replace_quiz,
    quizzes.remove_quiz,
    quiz_sessions.open_session,
    quiz_sessions.list_sessions,
]
OUTAGES = (*DATABASE_OUTAGES, *CACHE_OUTAGES, RedisError)
# What somebody is told with a token, no cache on the way keeps for others.
NO_STORE = {"Cache-Control": "no-store"}
BEARER = [{"bearer": list[str]()}]


def http_app(
    parts: Mapping[str, object], *, auth_client: httpx.AsyncClient | None, frame_ancestors: str = ""
) -> Litestar:
    """The HTTP interface; with `auth_client`, the auth server's as well. `frame_ancestors`: page_headers."""
    return application(
        [
            *PUBLIC,
            Router("/", route_handlers=PRIVATE, guards=[authenticated], security=BEARER, response_headers=NO_STORE),
            Router(
                "/",
                route_handlers=FOR_ACCOUNTS,
                guards=[authenticated, account_holder],
                security=BEARER,
                response_headers=NO_STORE,
            ),
            *web_client_routes(frame_ancestors),
            *(auth_forward_routes(auth_client) if auth_client else ()),
        ],
        parts,
        outages=OUTAGES,
        openapi=OpenAPIConfig(
            title="Tiebreak",
            version=__version__,
            description="Live quizzes with a leaderboard that is never wrong.",
            # Litestar's own pages for people load their scripts from elsewhere. It cannot be told to have none.
            openapi_router=Router("/schema", route_handlers=[], guards=[not_there], include_in_schema=False),
            components=Components(
                security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
            ),
        ),
    )
