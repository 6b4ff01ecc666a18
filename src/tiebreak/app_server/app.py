"""The ASGI application: the routes, and the parts they may use."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
from litestar import Litestar, Router

from tiebreak.app_server.callers import account_holder, authenticated
from tiebreak.app_server.descriptions import Descriptions
from tiebreak.app_server.routes import (
    answers,
    hosts,
    images,
    live_games,
    names,
    operations,
    participants,
    quiz_sessions,
    quizzes,
    results,
)
from tiebreak.app_server.routes.auth_forward import auth_forward_routes
from tiebreak.app_server.routes.web_client import web_client_routes
from tiebreak.database.pool import OUTAGES as DATABASE_OUTAGES
from tiebreak.errors import Refusal
from tiebreak.http_edge.application import application
from tiebreak.http_edge.description import BEARER, CALLER, CallerFacts
from tiebreak.http_edge.health import HEALTH_ROUTES
from tiebreak.redis_client import OUTAGES as CACHE_OUTAGES
from tiebreak.redis_client import RedisError

PUBLIC = [
    quiz_sessions.show_session,
    quiz_sessions.find_by_pin,
    images.show_image,
    names.suggest_name,
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
    live_games.show_game,
    live_games.lead_game,
    live_games.show_my_result,
    results.show_results,
    results.show_board_history,
    results.download_json,
    results.download_csv,
    results.download_workbook,
    participants.list_participants,
    participants.change_participant,
    hosts.list_hosts,
    hosts.add_host,
    hosts.remove_host,
]
FOR_ACCOUNTS = [
    images.add_image,
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
ACCOUNT = CallerFacts(BEARER.security, (*BEARER.refusals, Refusal.ACCOUNT_NEEDED))


def http_app(
    parts: Mapping[str, object], *, auth_client: httpx.AsyncClient, forward_auth: bool, frame_ancestors: str = ""
) -> Litestar:
    """The HTTP interface; with `forward_auth`, the auth server's as well, by `auth_client`.

    `frame_ancestors`: page_headers.
    """
    return application(
        [
            *PUBLIC,
            Router(
                "/",
                route_handlers=PRIVATE,
                guards=[authenticated],
                opt={CALLER: BEARER},
                response_headers=NO_STORE,
            ),
            Router(
                "/",
                route_handlers=FOR_ACCOUNTS,
                guards=[authenticated, account_holder],
                opt={CALLER: ACCOUNT},
                response_headers=NO_STORE,
            ),
            *web_client_routes(frame_ancestors),
            *(auth_forward_routes(auth_client) if forward_auth else ()),
        ],
        {**parts, "descriptions": Descriptions(auth_client)},
        outages=OUTAGES,
    )
