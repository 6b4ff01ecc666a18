"""The table as Kong 3.9 reads it, without a database (`_format_version: "3.0"`).

What Kong cannot say, the servers behind it do: it does not tell a guest from an account (the app server's 403), and
its own refusals are its own JSON, not problem documents. Schemas: kong/plugins/*/schema.lua of Kong's sources.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tiebreak.errors import Refusal
from tiebreak.gateway.deployment import Address, Deployment
from tiebreak.gateway.public_keys import PublicKey
from tiebreak.gateway.table import (
    CONNECT_SECONDS,
    CORS_EXPOSED_HEADERS,
    CORS_HEADERS,
    CORS_METHODS,
    CORS_SECONDS,
    HEALTH_CHECK_SECONDS,
    HEALTH_CHECK_TIMEOUT_SECONDS,
    IDENTITY_HEADERS,
    READY_PATH,
    REQUEST_ID_HEADER,
    RETRIES,
    ROUTES,
    STICKY_COOKIE,
    UNHEALTHY_AFTER,
    Access,
    Client,
    Route,
    Target,
    pattern,
    response_seconds,
)
from tiebreak.http_edge.application import LARGEST_BODY_BYTES
from tiebreak.http_edge.problems import MEDIA_TYPE, problem
from tiebreak.tokens import ALGORITHM

Json = dict[str, object]

HEADING = """\
# Kong 3.9, declarative, without a database. Written by `tiebreak gateway-config kong`: change
# src/tiebreak/gateway/ instead. Without keys (--jwks) no token is accepted: see README.md here.
"""
CONSUMER = "tiebreak"
UPSTREAMS = (Target.AUTH, Target.APP, Target.APP_STICKY)


def kong_yaml(deployment: Deployment, keys: Sequence[PublicKey] = ()) -> str:
    """The whole configuration, to be put in place of the one before."""
    return HEADING + msgspec.yaml.encode(kong_config(deployment, keys)).decode()


def kong_config(deployment: Deployment, keys: Sequence[PublicKey]) -> Json:
    """Pure: the same deployment and keys give the same configuration."""
    percent = deployment.limits_percent
    return {
        "_format_version": "3.0",
        "upstreams": [upstream(target, deployment) for target in UPSTREAMS],
        "services": [service(target, percent) for target in UPSTREAMS],
        "routes": [kong_route(route, percent) for route in ROUTES if route.target not in UPSTREAMS],
        "consumers": [{"username": CONSUMER, "jwt_secrets": [credential(key) for key in keys]}],
        "plugins": for_all_routes(deployment.origins),
    }


def upstream(target: Target, deployment: Deployment) -> Json:
    """Servers that take turns, or of which a client keeps to one, left out while they are not ready."""
    servers = deployment.auth_servers if target is Target.AUTH else deployment.app_servers
    if target is Target.APP_STICKY:
        balance = {
            "algorithm": "consistent-hashing",
            "hash_on": "cookie",
            "hash_on_cookie": STICKY_COOKIE,
            "hash_on_cookie_path": "/",
        }
    else:
        balance = {"algorithm": "round-robin"}
    check: Json = {
        "type": "http",
        "http_path": READY_PATH,
        "timeout": HEALTH_CHECK_TIMEOUT_SECONDS,
        "healthy": {"interval": HEALTH_CHECK_SECONDS, "successes": 1, "http_statuses": [200]},
        "unhealthy": {
            "interval": HEALTH_CHECK_SECONDS,
            "http_failures": UNHEALTHY_AFTER,
            "tcp_failures": UNHEALTHY_AFTER,
            "timeouts": UNHEALTHY_AFTER,
            "http_statuses": [500, 502, 503, 504],
        },
    }
    return {
        "name": upstream_name(target),
        **balance,
        "healthchecks": {"active": check},
        "targets": [{"target": target_of(server)} for server in servers],
    }


def upstream_name(target: Target) -> str:
    """An upstream's name is looked up like a host's, so it must not be one."""
    return f"{target.value}.tiebreak.upstream"


def target_of(server: Address) -> str:
    return f"[{server.host}]:{server.port}" if ":" in server.host else f"{server.host}:{server.port}"


def service(target: Target, percent: int) -> Json:
    """An upstream with its patience. Timeouts in ms; those for reading and writing are between two packets.

    nginx below Kong tries another server when it could not connect, or when the request may be repeated
    (proxy_next_upstream's default: never a POST that was sent).
    """
    silence_ms = response_seconds(target) * 1000
    return {
        "name": target.value,
        "protocol": "http",
        "host": upstream_name(target),
        "port": 80,
        "connect_timeout": CONNECT_SECONDS * 1000,
        "read_timeout": silence_ms,
        "write_timeout": silence_ms,
        "retries": RETRIES,
        "routes": [kong_route(route, percent) for route in ROUTES if route.target is target],
    }


def kong_route(route: Route, percent: int) -> Json:
    """Kong prefers the higher regex_priority, and any regular expression to a plain prefix."""
    paths = ["/" if path == "/*" else f"~{pattern(path)}$" for path in route.paths]
    methods: Json = {"methods": list(route.methods)} if route.methods else {}
    return {
        "name": route.name,
        "protocols": ["http", "https"],
        "paths": paths,
        **methods,
        "strip_path": False,
        "preserve_host": True,  # sockets are opened from our own origin, which the app server compares with Host
        "request_buffering": True,
        "response_buffering": False,
        "regex_priority": len(ROUTES) - ROUTES.index(route),
        "plugins": plugins(route, percent),
    }


def plugins(route: Route, percent: int) -> list[Json]:
    """What Kong does for one route before, or instead of, passing a request on."""
    found: list[Json] = []
    match route.target:
        case Target.GATEWAY_HEALTH:
            found.append(termination(200, "application/json", b'{"status":"ok"}'))
        case Target.NOTHING:
            found.append(termination(404, MEDIA_TYPE, msgspec.json.encode(problem(Refusal.ROUTE_NOT_FOUND))))
        case Target.AUTH | Target.APP | Target.APP_STICKY:
            pass
    if route.access is not Access.PUBLIC:
        found.append(token_check())
    if route.largest_body_bytes != LARGEST_BODY_BYTES:
        found.append(size_limit(route.largest_body_bytes))  # in the place of the one for all routes
    if route.limit is not None:
        found.append(rate_limit(route.limit.per, route.limit.scaled(percent)))
    return found


def termination(status: int, content_type: str, body: bytes) -> Json:
    config = {"status_code": status, "content_type": content_type, "body": body.decode()}
    return {"name": "request-termination", "config": config}


def token_check() -> Json:
    """401 unless the Authorization header carries a token that one of our keys signed, of now.

    Kong refuses a token that lacks a claim it verifies: ours carry `exp` and `nbf`. The key is found by `kid`, for
    which Kong looks into the claims and then into the header, where it is.
    """
    return {
        "name": "jwt",
        "config": {
            "key_claim_name": "kid",
            "claims_to_verify": ["exp", "nbf"],
            "header_names": ["authorization"],
            "uri_param_names": [],  # a token in an address would end up in logs
            "cookie_names": [],
            "run_on_preflight": False,
        },
    }


def rate_limit(per: Client, requests_per_minute: int) -> Json:
    """Counted in each Kong by itself. All tokens belong to one consumer, so users are told apart by their tokens."""
    by: Json = {"limit_by": "header", "header_name": "authorization"} if per is Client.USER else {"limit_by": "ip"}
    config: Json = {
        "minute": requests_per_minute,
        **by,
        "policy": "local",
        "error_code": Refusal.TOO_MANY_TRIES.status,
        "error_message": Refusal.TOO_MANY_TRIES.title,
    }
    return {"name": "rate-limiting", "config": config}


def size_limit(largest_body_bytes: int) -> Json:
    config = {"allowed_payload_size": largest_body_bytes, "size_unit": "bytes"}
    return {"name": "request-size-limiting", "config": config}


def credential(key: PublicKey) -> Json:
    return {"key": key.kid, "algorithm": ALGORITHM, "rsa_public_key": key.pem}


def for_all_routes(origins: Sequence[str]) -> list[Json]:
    """What holds for every request."""
    found: list[Json] = [
        {
            "name": "correlation-id",
            "config": {"header_name": REQUEST_ID_HEADER, "generator": "uuid", "echo_downstream": True},
        },
        size_limit(LARGEST_BODY_BYTES),
        {"name": "request-transformer", "config": {"remove": {"headers": list(IDENTITY_HEADERS)}}},
    ]
    if origins:  # to the plugin, no origins would mean all of them
        found.append(
            {
                "name": "cors",
                "config": {
                    "origins": list(origins),
                    "methods": list(CORS_METHODS),
                    "headers": list(CORS_HEADERS),
                    "exposed_headers": list(CORS_EXPOSED_HEADERS),
                    "credentials": False,
                    "max_age": CORS_SECONDS,
                },
            }
        )
    return found
