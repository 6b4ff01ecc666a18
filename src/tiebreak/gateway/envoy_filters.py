"""What Envoy does with every request, in order: ids, CORS, health, token, role, limit, size, and then the route.

https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/api describes each message by the name after its `@type`.
"""

from __future__ import annotations

from tiebreak.gateway.deployment import Deployment
from tiebreak.gateway.envoy_replies import local_replies
from tiebreak.gateway.table import (
    CORS_EXPOSED_HEADERS,
    CORS_HEADERS,
    CORS_METHODS,
    CORS_SECONDS,
    HEALTH_PATH,
    IDENTITY_HEADERS,
    IDENTITY_PREFIXES,
    JWKS_PATH,
    KEYS_SECONDS,
    REQUEST_ID_HEADER,
    SOCKET_PING_SECONDS,
    SOCKET_PONG_SECONDS,
    Target,
)
from tiebreak.http_edge.application import LARGEST_BODY_BYTES
from tiebreak.tokens import AUDIENCE, ISSUER

Json = dict[str, object]

TOKEN_PROVIDER = "tiebreak"  # noqa: S105 - a name
TOKEN_REQUIREMENT = "token"  # noqa: S105
CLAIMS = "claims"
JWT_FILTER = "envoy.filters.http.jwt_authn"
RBAC_FILTER = "envoy.filters.http.rbac"
LIMIT_FILTER = "envoy.filters.http.local_ratelimit"
SIZE_FILTER = "envoy.filters.http.buffer"
CORS_FILTER = "envoy.filters.http.cors"

SILENCE_SECONDS = SOCKET_PING_SECONDS + SOCKET_PONG_SECONDS + 15


def typed(message: str, **fields: object) -> Json:
    """A message of Envoy's API, which names its type."""
    return {"@type": f"type.googleapis.com/envoy.{message}", **fields}


def named(name: str, config: Json) -> Json:
    return {"name": name, "typed_config": config}


def connection_manager(deployment: Deployment) -> Json:
    """HTTP on the listener."""
    from tiebreak.gateway.envoy_routes import routes  # noqa: PLC0415 - it names the filters above

    config = typed(
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="gateway",
        # The client is whoever opened the connection; what it says of others is dropped below.
        use_remote_address=True,
        early_header_mutation_extensions=[strip_headers()],
        preserve_external_request_id=True,
        always_set_request_id_in_response=True,
        server_header_transformation="PASS_THROUGH",
        # One spelling per path, so that no rule is walked around.
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        common_http_protocol_options={"headers_with_underscores_action": "DROP_HEADER"},
        request_headers_timeout="10s",
        request_timeout="30s",
        stream_idle_timeout=f"{SILENCE_SECONDS}s",
        # What is under way when Envoy is told to stop gets so long.
        drain_timeout="5s",
        access_log=[faults_log()],
        local_reply_config=local_replies(),
        http_filters=filters(),
        route_config={
            "name": "table",
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": routes(deployment),
                    "typed_per_filter_config": {CORS_FILTER: cors_policy(deployment.origins)},
                }
            ],
        },
    )
    return named("envoy.filters.network.http_connection_manager", config)


def strip_headers() -> Json:
    """Before anything else: what claims to say who is calling. Envoy then writes X-Forwarded-For anew."""
    exact = [{"remove": name} for name in (*IDENTITY_HEADERS, "x-forwarded-for")]
    prefixes = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in IDENTITY_PREFIXES]
    return named(
        "envoy.http.early_header_mutation.header_mutation",
        typed("extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation", mutations=[*exact, *prefixes]),
    )


def filters() -> list[Json]:
    """In the order requests pass through them."""
    return [
        named(CORS_FILTER, typed("extensions.filters.http.cors.v3.Cors")),
        named("envoy.filters.http.health_check", health()),
        named(JWT_FILTER, token_check()),
        named(RBAC_FILTER, typed("extensions.filters.http.rbac.v3.RBAC")),
        named(
            LIMIT_FILTER,
            typed("extensions.filters.http.local_ratelimit.v3.LocalRateLimit", stat_prefix="no_limit"),
        ),
        named(SIZE_FILTER, typed("extensions.filters.http.buffer.v3.Buffer", max_request_bytes=LARGEST_BODY_BYTES)),
        named(
            "envoy.filters.http.router",
            typed("extensions.filters.http.router.v3.Router", suppress_envoy_headers=True),
        ),
    ]


def health() -> Json:
    """200 while an app server is ready, else 503; not passed on."""
    return typed(
        "extensions.filters.http.health_check.v3.HealthCheck",
        pass_through_mode=False,
        headers=[{"name": ":path", "string_match": {"exact": HEALTH_PATH}}],
        cluster_min_healthy_percentages={Target.APP.value: {"value": 1}},
    )


def token_check() -> Json:
    """RS256 tokens of the auth server. Which routes need one is said at each route.

    Keys are fetched in the background and kept when that fails. A `clock_skew_seconds` of 0 would mean the default, 60.
    """
    provider: Json = {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "require_expiration": True,
        "clock_skew_seconds": 1,
        "from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}],
        "forward": True,
        "payload_in_metadata": CLAIMS,
        "remote_jwks": {
            "http_uri": {
                "uri": f"http://{Target.AUTH.value}{JWKS_PATH}",
                "cluster": Target.AUTH.value,
                "timeout": "5s",
            },
            "cache_duration": f"{KEYS_SECONDS}s",
            "async_fetch": {"failed_refetch_duration": "1s"},
        },
    }
    return typed(
        "extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        providers={TOKEN_PROVIDER: provider},
        requirement_map={TOKEN_REQUIREMENT: {"provider_name": TOKEN_PROVIDER}},
        bypass_cors_preflight=True,
    )


def cors_policy(origins: tuple[str, ...]) -> Json:
    """Pages of these origins may call us; tokens travel in a header, so no cookies are needed."""
    return typed(
        "extensions.filters.http.cors.v3.CorsPolicy",
        allow_origin_string_match=[{"exact": origin} for origin in origins],
        allow_methods=", ".join(CORS_METHODS),
        allow_headers=", ".join(CORS_HEADERS),
        expose_headers=", ".join(CORS_EXPOSED_HEADERS),
        max_age=str(CORS_SECONDS),
        allow_credentials=False,
    )


def faults_log() -> Json:
    """A line of JSON for each request that failed on our side, with the id under which the servers logged it."""
    fields: Json = {
        "event": "gateway.failed",
        "timestamp": "%START_TIME%",
        "request_id": f"%REQ({REQUEST_ID_HEADER})%",
        "method": "%REQ(:METHOD)%",
        "path": "%PATH(NQ)%",
        "status": "%RESPONSE_CODE%",
        "reason": "%RESPONSE_CODE_DETAILS%",
        "duration_ms": "%DURATION%",
        "server": "%UPSTREAM_HOST%",
    }
    only_faults: Json = {
        "status_code_filter": {"comparison": {"op": "GE", "value": {"default_value": 500, "runtime_key": "faults_log"}}}
    }
    config = typed("extensions.access_loggers.stream.v3.StdoutAccessLog", log_format={"json_format": fields})
    return named("envoy.access_loggers.stdout", config) | {"filter": only_faults}
