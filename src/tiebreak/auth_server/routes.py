"""The auth server's interface, as fixed in docs/architecture.md."""

from __future__ import annotations

import msgspec
from joserfc.jwk import KeySetSerialization
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from tiebreak import __version__
from tiebreak.auth_server.accounts import Accounts
from tiebreak.auth_server.logins import Logins
from tiebreak.auth_server.requests import (
    GuestRequest,
    LoginRequest,
    LogoutRequest,
    RefreshRequest,
    RegisterRequest,
)
from tiebreak.auth_server.responses import NO_STORE, Tokens, User, tokens_response
from tiebreak.auth_server.signing import AccessTokens, public_keys
from tiebreak.database.pool import Pool
from tiebreak.database.users import find_user
from tiebreak.errors import Refusal, Refused
from tiebreak.http_edge.addresses import counted_address_of
from tiebreak.http_edge.bodies import StrictRequest
from tiebreak.http_edge.description import BEARER, CALLER, FACTS, CallerFacts, Facts, describe
from tiebreak.tokens import Identity, Verifier, bearer_token

KEYS_MAX_AGE_SECONDS = 300
# A refresh token in the body serves as well.
EITHER_TOKEN = CallerFacts([*BEARER.security, {}], BEARER.refusals)


@post("/auth/guest", status_code=200, opt={FACTS: Facts((Refusal.TOO_MANY_TRIES,))})
async def enter_as_guest(
    request: StrictRequest,
    data: JSONBody[GuestRequest],
    accounts: NamedDependency[Accounts],
    access_tokens: NamedDependency[AccessTokens],
) -> Response[Tokens]:
    """A new guest, who can play; each call makes another."""
    login = await accounts.enter_as_guest(data.name, address=counted_address_of(request))
    return tokens_response(login, access_tokens)


@post(
    "/auth/register", status_code=200, opt={FACTS: Facts((Refusal.EMAIL_TAKEN, Refusal.TOO_MANY_TRIES, Refusal.BUSY))}
)
async def register(
    request: StrictRequest,
    data: JSONBody[RegisterRequest],
    accounts: NamedDependency[Accounts],
    access_tokens: NamedDependency[AccessTokens],
) -> Response[Tokens]:
    """A new account, which can also author and host."""
    address = counted_address_of(request)
    outcome = await accounts.register(email=data.email, password=data.password, name=data.name, address=address)
    return tokens_response(outcome, access_tokens)


@post(
    "/auth/login",
    status_code=200,
    opt={FACTS: Facts((Refusal.CREDENTIALS_WRONG, Refusal.TOO_MANY_TRIES, Refusal.BUSY))},
)
async def log_in(
    request: StrictRequest,
    data: JSONBody[LoginRequest],
    accounts: NamedDependency[Accounts],
    access_tokens: NamedDependency[AccessTokens],
) -> Response[Tokens]:
    """Another log-in of an account. Failed ones are counted by address."""
    # On a Unix socket there is no address; all its callers then share one limit.
    address = counted_address_of(request)
    outcome = await accounts.log_in(email=data.email, password=data.password, address=address)
    return tokens_response(outcome, access_tokens)


@post(
    "/auth/refresh",
    status_code=200,
    opt={FACTS: Facts((Refusal.REFRESH_TOKEN_INVALID, Refusal.REFRESH_TOKEN_REUSED))},
)
async def refresh(
    data: JSONBody[RefreshRequest], logins: NamedDependency[Logins], access_tokens: NamedDependency[AccessTokens]
) -> Response[Tokens]:
    """New tokens for a refresh token, which is used up: the second time it ends the log-in."""
    return tokens_response(await logins.rotate(data.refresh_token), access_tokens)


@post(
    "/auth/logout",
    status_code=204,
    opt={FACTS: Facts((Refusal.REFRESH_TOKEN_INVALID,)), CALLER: EITHER_TOKEN},
)
async def log_out(
    request: StrictRequest,
    logins: NamedDependency[Logins],
    verifier: NamedDependency[Verifier],
    data: JSONBody[LogoutRequest | None] = None,
) -> None:
    """Ends the log-in of the refresh token, or else of the bearer token. May be repeated."""
    if data is None or data.refresh_token is None:
        login_id = (await caller(request, verifier)).login_id
    else:
        login_id = await logins.find(data.refresh_token)
        if login_id is None:
            raise Refused(Refusal.REFRESH_TOKEN_INVALID)
    await logins.revoke(login_id)


@get("/auth/me", opt={FACTS: Facts((Refusal.USER_UNKNOWN,)), CALLER: BEARER})
async def show_me(
    request: StrictRequest, pool: NamedDependency[Pool], verifier: NamedDependency[Verifier]
) -> Response[User]:
    """The caller."""
    user = await find_user(pool, (await caller(request, verifier)).user_id)
    if user is None:
        raise Refused(Refusal.USER_UNKNOWN)
    return Response(User(user.id, user.name, user.kind, user.email), headers=NO_STORE)


@get("/.well-known/jwks.json", opt={FACTS: Facts()})
async def show_keys(pool: NamedDependency[Pool]) -> Response[KeySetSerialization]:
    """The public keys that access tokens are signed with (RFC 7517)."""
    headers = {"Cache-Control": f"public, max-age={KEYS_MAX_AGE_SECONDS}"}
    return Response(await public_keys(pool), headers=headers)


@get("/auth/openapi.json", sync_to_thread=False)
def show_auth_openapi(request: StrictRequest) -> Response[bytes]:
    """Ours alone; the app server's /openapi.json has both."""
    document = describe(request.app, title="Tiebreak's auth server", version=__version__, description="Tokens.")
    return Response(msgspec.json.encode(document), media_type="application/json")


async def caller(request: StrictRequest, verifier: Verifier) -> Identity:
    """Who the bearer token says is calling. Raises Refused."""
    identity = await verifier.verify(bearer_token(request.headers.get("authorization")))
    if isinstance(identity, Refusal):
        raise Refused(identity)
    return identity


ROUTES = [
    enter_as_guest,
    register,
    log_in,
    refresh,
    log_out,
    show_me,
    show_keys,
    show_auth_openapi,
]
