"""A Litestar application with the manners both servers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.di import Provide
from litestar.routes import HTTPRoute
from litestar.types import ControllerRouterHandler, Message, Scope

from tiebreak.http_edge.bodies import LARGEST_BODY_BYTES, StrictRequest
from tiebreak.http_edge.problems import EXCEPTION_HANDLERS, problem_response, refusal_of


def application(
    routes: Sequence[ControllerRouterHandler],
    parts: Mapping[str, object],
    *,
    outages: Sequence[type[Exception]],
) -> Litestar:
    """The application; a route handler names the parts it uses as its arguments.

    `outages` are the exceptions that say a server we stand on is away: a 503, which a client may send again.
    """
    return Litestar(
        routes,
        state=State(dict(parts), deep_copy=False),
        dependencies={name: provide(part) for name, part in parts.items()},
        exception_handlers={**EXCEPTION_HANDLERS, **dict.fromkeys(outages, on_outage)},
        request_class=StrictRequest,
        request_max_body_size=LARGEST_BODY_BYTES,
        before_send=[name_methods],
        logging_config=None,
        # http_edge/description.py writes it, exactly; Litestar would also serve pages for browsers.
        openapi_config=None,
    )


def provide(part: object) -> Provide:
    return Provide(lambda: part, use_cache=True, sync_to_thread=False)


async def name_methods(message: Message, scope: Scope) -> None:
    """Litestar answers OPTIONS with the methods of the route's first handler; a path may have several."""
    if scope["type"] != "http" or scope["method"] != "OPTIONS" or message["type"] != "http.response.start":
        return
    if message["status"] == 204 and scope["route_handler"].handler_name == "options_handler":
        routes = [it for it in scope["litestar_app"].routes if isinstance(it, HTTPRoute)]
        methods = {method for it in routes if it.path_format == scope["path_template"] for method in it.methods}
        message["headers"] = [it for it in message["headers"] if it[0] != b"allow"]
        message["headers"].append((b"allow", ", ".join(sorted(methods)).encode()))


def on_outage(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    return problem_response(refusal_of(error, request.url.path, (type(error),)))
