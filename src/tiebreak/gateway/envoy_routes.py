"""The routes of the table, each with the rules of its own."""

from __future__ import annotations

from tiebreak.gateway.deployment import Deployment
from tiebreak.gateway.envoy_filters import (
    CLAIMS,
    JWT_FILTER,
    LIMIT_FILTER,
    RBAC_FILTER,
    SIZE_FILTER,
    TOKEN_REQUIREMENT,
    Json,
    typed,
)
from tiebreak.gateway.table import (
    READING,
    RETRIES,
    ROUTES,
    STICKY_COOKIE,
    Access,
    Client,
    Limit,
    Route,
    Target,
    pattern,
    response_seconds,
)
from tiebreak.http_edge.bodies import LARGEST_BODY_BYTES

# The request has not been seen by anyone: it may be sent to another server, whatever it is.
NOT_SENT = "connect-failure,refused-stream,reset-before-request"
# Reading twice does no harm: here a server may also have died over it.
ALSO_SENT = f"{NOT_SENT},reset"
PAGES = "pages"
MOST_CLIENTS_COUNTED = 20_000
WITHOUT_LIMIT = {"max_tokens": 4_000_000_000, "tokens_per_fill": 4_000_000_000, "fill_interval": "1s"}


def routes(deployment: Deployment) -> list[Json]:
    """In the table's order: the first that matches counts."""
    return [found for route in ROUTES for found in envoy_routes(route, deployment.limits_percent)]


def envoy_routes(route: Route, percent: int) -> list[Json]:
    """One route of the table: reading apart, which may be repeated, and WebSockets apart, which do not end."""
    common: Json = {"typed_per_filter_config": rules(route, percent)}
    match route.target:
        case Target.GATEWAY_HEALTH:  # the filter before has answered it
            return [common | {"name": route.name, "match": matching(route), "direct_response": {"status": 404}}]
        case Target.NOTHING:
            return [common | {"name": route.name, "match": matching(route), "direct_response": {"status": 404}}]
        case Target.APP_STICKY if route.methods != READING:
            return [websocket(route, percent), common | forward(route, route.name, NOT_SENT)]
        case _ if route.methods == READING:
            return [common | forward(route, route.name, ALSO_SENT, methods=READING)]
        case _:
            return [
                common | forward(route, f"{route.name} (reading)", ALSO_SENT, methods=READING),
                common | forward(route, route.name, NOT_SENT),
            ]


def matching(route: Route, methods: tuple[str, ...] = ()) -> Json:
    """The whole path, without the query."""
    paths = "|".join(pattern(path) for path in route.paths)
    headers = [{"name": ":method", "string_match": {"safe_regex": {"regex": "|".join(methods)}}}] if methods else []
    return {"safe_regex": {"regex": paths}, "headers": headers}


def forward(route: Route, name: str, retry_on: str, methods: tuple[str, ...] = ()) -> Json:
    seconds = f"{response_seconds(route.target)}s"
    action: Json = {
        "cluster": route.target.value,
        "timeout": seconds,
        "idle_timeout": seconds,
        "retry_policy": retries(retry_on),
        **sticky(route),
    }
    return {"name": name, "match": matching(route, methods), "route": action}


def retries(retry_on: str) -> Json:
    """On another server than the one that failed."""
    return {
        "retry_on": retry_on,
        "num_retries": RETRIES,
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": typed("extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"),
            }
        ],
        "host_selection_retry_max_attempts": "20",
    }


def sticky(route: Route) -> Json:
    """By a cookie, which a browser gets with the page; by address, for programs that keep none."""
    if route.target is not Target.APP_STICKY:
        return {}
    cookie: Json = {"name": STICKY_COOKIE, "path": "/"}
    if route.name == PAGES:
        attributes = [{"name": "HttpOnly"}, {"name": "SameSite", "value": "Lax"}]
        return {"hash_policy": [{"cookie": cookie | {"ttl": "0s", "attributes": attributes}}]}
    return {
        "hash_policy": [
            {"cookie": cookie, "terminal": True},
            {"connection_properties": {"source_ip": True}},
        ]
    }


def websocket(route: Route, percent: int) -> Json:
    """A WebSocket lasts as long as somebody pings. Its opening is never complete, so it must not be waited for."""
    unbuffered = typed("extensions.filters.http.buffer.v3.BufferPerRoute", disabled=True)
    found = forward(route, f"{route.name} (websocket)", NOT_SENT)
    is_upgrade = {"name": "upgrade", "string_match": {"exact": "websocket", "ignore_case": True}}
    return {
        "name": found["name"],
        "match": matching(route) | {"headers": [is_upgrade]},
        "route": {
            "cluster": route.target.value,
            "timeout": "0s",
            "idle_timeout": f"{response_seconds(route.target)}s",
            "retry_policy": retries(NOT_SENT),
            "upgrade_configs": [{"upgrade_type": "websocket"}],
            **sticky(route),
        },
        "typed_per_filter_config": rules(route, percent) | {SIZE_FILTER: unbuffered},
    }


def rules(route: Route, percent: int) -> Json:
    """Token, role and limit."""
    jwt = "extensions.filters.http.jwt_authn.v3.PerRouteConfig"
    if route.access is Access.PUBLIC:
        found: Json = {JWT_FILTER: typed(jwt, disabled=True)}
    else:
        found = {JWT_FILTER: typed(jwt, requirement_name=TOKEN_REQUIREMENT)}
    if route.access is Access.ACCOUNT:
        found[RBAC_FILTER] = typed("extensions.filters.http.rbac.v3.RBACPerRoute", rbac={"rules": accounts_only()})
    if route.largest_body_bytes != LARGEST_BODY_BYTES:
        buffer: Json = {"max_request_bytes": route.largest_body_bytes}
        found[SIZE_FILTER] = typed("extensions.filters.http.buffer.v3.BufferPerRoute", buffer=buffer)
    if route.limit is not None:
        found[LIMIT_FILTER] = rate_limit(route.name, route.limit, percent)
    return found


def accounts_only() -> Json:
    """403 unless the token that was checked before says `role: account`."""
    role: Json = {
        "filter": JWT_FILTER,
        "path": [{"key": CLAIMS}, {"key": "role"}],
        "value": {"string_match": {"exact": "account"}},
    }
    policy: Json = {"permissions": [{"any": True}], "principals": [{"sourced_metadata": {"metadata_matcher": role}}]}
    return {"action": "ALLOW", "policies": {"account": policy}}


def rate_limit(name: str, limit: Limit, percent: int) -> Json:
    """A bucket per client, filled evenly. The clients heard of longest ago are forgotten when there are too many."""
    match limit.per:
        case Client.ADDRESS:
            action: Json = {"remote_address": {}}
            key = "remote_address"
        case Client.USER:
            path = [{"key": CLAIMS}, {"key": "sub"}]
            key = "user"
            action = {"metadata": {"descriptor_key": key, "metadata_key": {"key": JWT_FILTER, "path": path}}}
    allowed = limit.scaled(percent)
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    return typed(
        "extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix=name.replace("-", "_"),
        token_bucket=WITHOUT_LIMIT,  # what Envoy wants to have for requests of nobody
        filter_enabled=always,
        filter_enforced=always,
        rate_limits=[{"actions": [action]}],
        descriptors=[
            {
                "entries": [{"key": key}],
                "token_bucket": {"max_tokens": allowed, "tokens_per_fill": allowed, "fill_interval": "60s"},
            }
        ],
        max_dynamic_descriptors=MOST_CLIENTS_COUNTED,
        always_consume_default_token_bucket=False,
    )
