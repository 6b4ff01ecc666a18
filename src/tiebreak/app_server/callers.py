"""Who is calling: the guard before every private route, and what it lets the route know."""

from __future__ import annotations

from typing import Any, cast

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from tiebreak.errors import Refusal, Refused
from tiebreak.tokens import Identity, Verifier, bearer_token

Caller = ASGIConnection[Any, Any, Any, Any]


async def authenticated(connection: Caller, _: BaseRouteHandler) -> None:
    """Guard: 401 without a valid token, before the body is looked at."""
    verifier = cast(Verifier, connection.app.state["verifier"])
    identity = await verifier.verify(bearer_token(connection.headers.get("authorization")))
    if isinstance(identity, Refusal):
        raise Refused(identity)
    connection.scope["user"] = identity


def account_holder(connection: Caller, _: BaseRouteHandler) -> None:
    """Guard, after `authenticated`: guests play, accounts author and host."""
    if identity_of(connection).role != "account":
        raise Refused(Refusal.ACCOUNT_NEEDED)


def identity_of(connection: Caller) -> Identity:
    """The caller of a private route."""
    return cast(Identity, connection.scope["user"])
