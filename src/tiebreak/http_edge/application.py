"""A Litestar application with the manners both servers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.types import ControllerRouterHandler

from tiebreak.http_edge.bodies import LARGEST_BODY_BYTES, StrictRequest
from tiebreak.http_edge.problems import EXCEPTION_HANDLERS, problem_response, refusal_of


def application(
    routes: Sequence[ControllerRouterHandler],
    parts: Mapping[str, object],
    *,
    outages: Sequence[type[Exception]],
    openapi: OpenAPIConfig | None = None,
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
        logging_config=None,
        openapi_config=openapi,
    )


def provide(part: object) -> Provide:
    return Provide(lambda: part, use_cache=True, sync_to_thread=False)


def on_outage(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    return problem_response(refusal_of(error, request.url.path, (type(error),)))
