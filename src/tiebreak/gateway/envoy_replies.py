"""What Envoy itself answers, as the problem documents that our servers would send."""

from __future__ import annotations

import msgspec

from tiebreak.errors import Refusal
from tiebreak.http_edge.problems import MEDIA_TYPE, problem

Json = dict[str, object]

# Conditions in CEL on Envoy's reasons, which it writes with underscores for blanks.
MISSING = "response.code_details.contains('Jwt_is_missing')"
EXPIRED = "response.code_details.contains('Jwt_is_expired')"
OTHER_AUDIENCE = "response.code_details.contains('Audiences_in_Jwt')"  # a 403 to Envoy
ROLE = "response.code_details.contains('rbac')"


def local_replies() -> Json:
    """The first mapper that fits counts. Envoy's own text, such as `RBAC: access denied`, never leaves."""
    return {
        "mappers": [
            reply(401, Refusal.TOKEN_MISSING, because=MISSING),
            reply(401, Refusal.TOKEN_EXPIRED, because=EXPIRED),
            reply(401, Refusal.TOKEN_INVALID),
            reply(403, Refusal.TOKEN_INVALID, because=OTHER_AUDIENCE),
            reply(403, Refusal.ACCOUNT_NEEDED, because=ROLE),
            reply(403, Refusal.REQUEST_INVALID),  # an upgrade to a WebSocket where there are none
            reply(404, Refusal.ROUTE_NOT_FOUND),
            reply(413, Refusal.BODY_TOO_LARGE),
            reply(429, Refusal.TOO_MANY_TRIES),
            reply(400, Refusal.REQUEST_INVALID),
            *(reply(status, Refusal.UNAVAILABLE) for status in (502, 503, 504)),
        ]
    }


def reply(status: int, refusal: Refusal, because: str | None = None) -> Json:
    """A mapper from a status of Envoy's, and from a reason if two share it."""
    this_status: Json = {
        "status_code_filter": {"comparison": {"op": "EQ", "value": {"default_value": status, "runtime_key": "reply"}}}
    }
    return {
        "filter": this_status if because is None else {"and_filter": {"filters": [this_status, expression(because)]}},
        "status_code": refusal.status,
        "headers_to_add": headers(refusal.status, said=status),
        "body_format_override": {
            "text_format_source": {"inline_string": msgspec.json.encode(problem(refusal)).decode()},
            "content_type": MEDIA_TYPE,
        },
    }


def headers(status: int, *, said: int) -> list[Json]:
    """Those that the status asks for, unless Envoy adds them to what it `said` by itself."""
    if status in {429, 503}:
        return [{"header": {"key": "retry-after", "value": "1"}}]
    if status == 401 and said != 401:
        return [{"header": {"key": "www-authenticate", "value": "Bearer"}}]
    return []


def expression(text: str) -> Json:
    """A condition, as a filter of mappers."""
    return {
        "extension_filter": {
            "name": "envoy.access_loggers.extension_filters.cel",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
                "expression": text,
            },
        }
    }
