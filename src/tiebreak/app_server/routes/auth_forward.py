"""Passes /auth/* and the public keys on to the auth server, where no gateway stands in front to do it."""

from __future__ import annotations

import httpx
import structlog
from litestar import HttpMethod, Response, route
from litestar.handlers import HTTPRouteHandler

from tiebreak.errors import Refusal, Refused
from tiebreak.http_edge.addresses import address_of
from tiebreak.http_edge.bodies import StrictRequest

log = structlog.get_logger()

METHODS = [HttpMethod(it) for it in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")]
PASSED_ON = ("authorization", "content-type")
PASSED_BACK = ("content-type", "cache-control", "retry-after", "www-authenticate", "allow")


KEPT_CONNECTIONS = 20


def open_auth_client(auth_url: str) -> httpx.AsyncClient:
    """Talks to the auth server, over as many connections as there are requests under way.

    With a bound, log-ins that wait there to be hashed would keep everyone else from it: guests, refreshes, keys. The
    auth server itself refuses what is too much, at once.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=KEPT_CONNECTIONS)
    return httpx.AsyncClient(base_url=auth_url, timeout=10, trust_env=False, limits=limits)


def auth_forward_routes(client: httpx.AsyncClient) -> list[HTTPRouteHandler]:
    """`client` has the auth server as its base address."""

    async def forward(request: StrictRequest, path: str) -> Response[bytes]:
        if ".." in path:
            # A client's own tidying would leave the prefix.
            raise Refused(Refusal.ROUTE_NOT_FOUND)
        # Blanks around a value are not part of it (RFC 9110, 5.5), and httpx refuses to send them.
        headers = {name: value for name in PASSED_ON if (value := request.headers.get(name, "").strip())}
        headers["x-forwarded-for"] = address_of(request)
        try:
            answer = await client.request(request.method, path, content=await request.body(), headers=headers)
        except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeError) as error:
            raise Refused(Refusal.REQUEST_INVALID, "The address or a header holds odd characters.") from error
        except httpx.HTTPError as error:
            log.warning("auth.unavailable", path=path, error=f"{type(error).__name__}: {error}")
            raise Refused(Refusal.UNAVAILABLE, "The auth server does not answer.") from error
        return Response(
            answer.content,
            status_code=answer.status_code,
            headers={name: answer.headers[name] for name in PASSED_BACK if name in answer.headers},
        )

    @route("/auth/{rest:path}", http_method=METHODS, status_code=200, include_in_schema=False)
    async def forward_auth(request: StrictRequest, rest: str) -> Response[bytes]:
        return await forward(request, f"/auth{rest}")

    @route("/.well-known/jwks.json", http_method=["GET"], status_code=200, include_in_schema=False)
    async def forward_keys(request: StrictRequest) -> Response[bytes]:
        return await forward(request, "/.well-known/jwks.json")

    return [forward_auth, forward_keys]
