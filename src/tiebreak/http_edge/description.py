"""The interface's own description (OpenAPI 3.1), read off the routes: their types and what they refuse.

msgspec derives the schemas from the very types that bodies are decoded into, so a limit that is enforced is a limit
that is described. What a type cannot say stands beside the route, in `Facts`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

import msgspec
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import ParameterKwarg
from litestar.routes import HTTPRoute

from tiebreak.errors import Refusal
from tiebreak.http_edge.problems import MEDIA_TYPE, Problem, problem_headers

JsonObject = dict[str, Any]

# A route's and its router's keys in `opt`.
FACTS, CALLER = "facts", "caller"
SCHEMAS = "#/components/schemas/"
UUID_SCHEMA = {"type": "string", "format": "uuid"}
BODY_REFUSALS = (Refusal.JSON_MALFORMED, Refusal.REQUEST_INVALID, Refusal.BODY_TOO_LARGE)
TOKEN_REFUSALS = (Refusal.TOKEN_MISSING, Refusal.TOKEN_INVALID, Refusal.TOKEN_EXPIRED)
HEADER_SCHEMAS = {
    "WWW-Authenticate": {"type": "string", "const": "Bearer"},
    "Retry-After": {"type": "integer", "minimum": 1, "description": "Seconds"},
}


class CallerFacts(msgspec.Struct, frozen=True):
    """Who may call, and what others are told."""

    security: Sequence[Mapping[str, Sequence[str]]]
    refusals: Sequence[Refusal] = ()


class Facts(msgspec.Struct, frozen=True):
    """What the signature of a route does not say.

    `path`: schemas of path parameters that are no ids. `content`: the type of what a `Response[bytes]` holds.
    `takes`: the media types of a body that is not JSON. `outages`: whether a server it stands on may be away.
    """

    refusals: Sequence[Refusal] = ()
    path: Mapping[str, JsonObject] = {}
    media_type: str = "application/json"
    content: Any = None
    takes: Sequence[str] = ()
    outages: bool = True


BEARER = CallerFacts([{"bearer": []}], TOKEN_REFUSALS)
ANYBODY = CallerFacts([])


class Described(msgspec.Struct, frozen=True):
    """A route, ready to be written down."""

    path: str
    method: str
    handler: HTTPRouteHandler
    facts: Facts
    caller: CallerFacts
    body: Any
    result: Any


def describe(app: Litestar, *, title: str, version: str, description: str) -> JsonObject:
    """The OpenAPI document of every route that has `Facts`."""
    routes = sorted(described(app), key=lambda it: (it.path, it.method))
    types = [Problem, *(it.body for it in routes if it.body), *(it.result for it in routes if it.result is not None)]
    schemas, components = msgspec.json.schema_components(types, ref_template=f"{SCHEMAS}{{name}}")
    schema_of = dict(zip(map(id, types), schemas, strict=True))
    paths: dict[str, JsonObject] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def described(app: Litestar) -> Iterator[Described]:
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for handler in route.route_handlers:
            facts: Facts | None = handler.opt.get(FACTS)
            if facts is None:
                continue
            [method] = handler.http_methods - {"OPTIONS"}
            body = handler.parsed_fn_signature.parameters.get("data")
            yield Described(
                route.path_format,
                str(method),
                handler,
                facts,
                handler.opt.get(CALLER, ANYBODY),
                body.annotation if body else None,
                facts.content or result_of(handler.parsed_return_field.annotation),
            )


def result_of(annotation: Any) -> Any:  # noqa: ANN401 - whatever a route returns
    """What is encoded: `T` of `T`, of `Response[T]` and of `T | Response[bytes]`; None for nothing."""
    if get_origin(annotation) is Response:
        return get_args(annotation)[0]
    options = get_args(annotation)
    if any(get_origin(it) is Response for it in options):
        return next(it for it in options if get_origin(it) is not Response)
    return None if annotation is type(None) else annotation


def operation(route: Described, schema_of: Mapping[int, JsonObject]) -> JsonObject:
    handler, facts = route.handler, route.facts
    parameters = [*path_parameters(route), *query_parameters(route)]
    refusals = [*route.caller.refusals, *facts.refusals]
    if any(it["schema"] is UUID_SCHEMA for it in parameters):
        refusals.append(Refusal.NOT_AN_ID)
    if any(it["in"] == "query" for it in parameters):
        refusals.append(Refusal.REQUEST_INVALID)
    if route.body:
        refusals += BODY_REFUSALS
    if facts.outages:
        refusals.append(Refusal.UNAVAILABLE)
    success: JsonObject = {"description": "Done"}
    if route.result is not None:
        success["content"] = {facts.media_type: {"schema": schema_of[id(route.result)]}}
    summary, _, more = inspect.cleandoc(handler.fn.__doc__ or "").partition("\n\n")
    written: JsonObject = {"operationId": handler.fn.__name__, "summary": " ".join(summary.split())}
    if more:
        written["description"] = more
    if parameters:
        written["parameters"] = parameters
    if route.body:
        required = type(None) not in get_args(route.body)
        content = {"application/json": {"schema": schema_of[id(route.body)]}}
        written["requestBody"] = {"required": required, "content": content}
    if facts.takes:
        # The schema of bytes is none (OpenAPI 3.1, 4.8.14.2).
        written["requestBody"] = {"required": True, "content": {media_type: {} for media_type in facts.takes}}
    written["responses"] = {str(handler.status_code): success, **problems(refusals)}
    written["security"] = route.caller.security
    return written


def path_parameters(route: Described) -> Iterator[JsonObject]:
    for part in route.path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}")
            yield {"name": name, "in": "path", "required": True, "schema": route.facts.path.get(name, UUID_SCHEMA)}


def query_parameters(route: Described) -> Iterator[JsonObject]:
    handler = route.handler
    others = {"request", "data", *handler.resolve_dependencies()}
    for name, parameter in handler.parsed_fn_signature.parameters.items():
        if name in others or f"{{{name}}}" in route.path:
            continue
        kind = parameter.annotation
        if parameter.is_optional:
            # In a query, what may be None may be left out.
            [kind] = [it for it in get_args(kind) if it is not type(None)]
        schema = msgspec.json.schema(kind)
        limits = parameter.kwarg_definition
        if isinstance(limits, ParameterKwarg):
            schema |= {"minimum": limits.ge, "maximum": limits.le}
        if parameter.default is not None:
            schema["default"] = parameter.default
        yield {"name": name, "in": "query", "required": False, "schema": schema}


def problems(refusals: Iterable[Refusal]) -> JsonObject:
    """The responses for these refusals, by status, each with the codes it may carry."""
    by_status: dict[int, dict[str, Refusal]] = {}
    for refusal in sorted(refusals, key=lambda it: (it.status, it.code)):
        by_status.setdefault(refusal.status, {})[refusal.code] = refusal
    return {str(status): problem_of(status, codes) for status, codes in by_status.items()}


def problem_of(status: int, refusals: Mapping[str, Refusal]) -> JsonObject:
    narrowed = {"properties": {"status": {"const": status}, "code": {"enum": [*refusals]}}}
    written: JsonObject = {
        "description": "; ".join(f"`{code}`: {refusal.title}" for code, refusal in refusals.items()),
        "content": {MEDIA_TYPE: {"schema": {"allOf": [{"$ref": f"{SCHEMAS}Problem"}, narrowed]}}},
    }
    if headers := problem_headers(next(iter(refusals.values()))):
        written["headers"] = {name: {"required": True, "schema": HEADER_SCHEMAS[name]} for name in headers}
    return written


def joined(first: JsonObject, second: JsonObject) -> JsonObject:
    """Two descriptions as one. What both have is the same, or has to be given another name."""
    schemas, others = first["components"]["schemas"], second["components"]["schemas"]
    clashing = [name for name in schemas.keys() & others if schemas[name] != others[name]]
    if clashing:
        raise ValueError(f"Two schemas of one name: {', '.join(clashing)}.")
    return {
        **first,
        "paths": {**second["paths"], **first["paths"]},
        "components": {**first["components"], "schemas": {**others, **schemas}},
    }
