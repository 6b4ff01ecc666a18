"""Errors as RFC 9457 problem documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException, ValidationException

from tiebreak.errors import Fault, Refusal, Refused

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
AnyRequest = Request[Any, Any, Any]


class Problem(msgspec.Struct, omit_defaults=True):
    """RFC 9457, with a stable `code` for machines."""

    title: str
    status: int
    code: str
    type: str = ""
    detail: str | None = None

    def __post_init__(self) -> None:
        self.type = f"urn:tiebreak:problem:{self.code}"


def problem(refusal: Refusal, detail: str | None = None) -> Problem:
    """The document for a refusal."""
    return Problem(title=refusal.title, status=refusal.status, code=refusal.code, detail=detail)


def problem_content(refusal: Refusal, detail: str | None = None) -> bytes:
    """The document as JSON."""
    return msgspec.json.encode(problem(refusal, detail))


def problem_headers(refusal: Refusal, retry_after_seconds: int | None = None) -> dict[str, str]:
    """The headers that the refusal's status asks for."""
    if refusal.status == 401:
        return {"WWW-Authenticate": "Bearer"}
    if refusal.status in {429, 503}:
        return {"Retry-After": str(retry_after_seconds or 1)}
    return {}


def problem_response(
    refusal: Refusal, detail: str | None = None, *, retry_after_seconds: int | None = None
) -> Response[bytes]:
    """The response for a refusal."""
    return Response(
        problem_content(refusal, detail),
        status_code=refusal.status,
        media_type=MEDIA_TYPE,
        headers=problem_headers(refusal, retry_after_seconds),
    )


def refusal_of(error: Exception, path: str, outages: tuple[type[Exception], ...] = ()) -> Refusal:
    """What is said of an exception, after it was logged. `outages`: a server we stand on is away."""
    if isinstance(error, outages) or (isinstance(error, Fault) and error.temporary):
        log.warning("request.unavailable", path=path, error=f"{type(error).__name__}: {error}")
        return Refusal.UNAVAILABLE
    log.error("request.failed", path=path, exc_info=error)
    return Refusal.INTERNAL


def on_refused(_: AnyRequest, error: Refused) -> Response[bytes]:
    return problem_response(error.refusal, error.detail, retry_after_seconds=error.retry_after_seconds)


def on_http_exception(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    match error:
        case NotFoundException():
            return problem_response(Refusal.ROUTE_NOT_FOUND)
        case MethodNotAllowedException():
            response = problem_response(Refusal.METHOD_NOT_ALLOWED)
            response.headers.update(error.headers or {})
            return response
        case ValidationException():
            return problem_response(Refusal.REQUEST_INVALID, validation_detail(error))
        case _ if error.status_code == 413:
            return problem_response(Refusal.BODY_TOO_LARGE)
        case _ if error.status_code < 500:
            return problem_response(Refusal.REQUEST_INVALID, error.detail)
        case _:
            return on_fault(request, error)


def validation_detail(error: ValidationException) -> str:
    """Which field is wrong and why, from Litestar's list of complaints."""
    said: list[str] = []
    for complaint in cast("list[dict[str, str]]", error.extra if isinstance(error.extra, list) else []):
        key, message = complaint.get("key"), complaint.get("message")
        # A missing body reaches us as the name of the parameter it would have filled.
        said.append("A JSON body is needed." if message == "'data'" else f"{key}: {message}")
    return "; ".join(said) or error.detail


def on_fault(request: AnyRequest, error: Exception) -> Response[bytes]:
    return problem_response(refusal_of(error, request.url.path))


# Litestar's own alias, ExceptionHandlersMap, leaves the types of request and response unknown.
EXCEPTION_HANDLERS: dict[int | type[Exception], Callable[[AnyRequest, Any], Response[bytes]]] = {
    Refused: on_refused,
    HTTPException: on_http_exception,
    Exception: on_fault,
}
