"""What the auth server answers with."""

from __future__ import annotations

from typing import Literal

import msgspec
from litestar import Response

from tiebreak.auth_server.logins import Login
from tiebreak.auth_server.signing import AccessTokens
from tiebreak.errors import Refusal, Refused
from tiebreak.quiz.model import UserId
from tiebreak.tokens import Role

# RFC 6749 §5.1: nobody on the way may keep a response that carries tokens.
NO_STORE = {"Cache-Control": "no-store"}


class Tokens(msgspec.Struct, frozen=True):
    """A log-in's tokens; `expires_in` is the access token's life in seconds."""

    user_id: UserId
    access_token: str
    refresh_token: str
    expires_in: int
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the scheme, not a secret


class User(msgspec.Struct, frozen=True, omit_defaults=True):
    """The caller; guests have no e-mail."""

    user_id: UserId
    name: str
    role: Role
    email: str | None = None


def tokens_response(outcome: Login | Refusal, access_tokens: AccessTokens) -> Response[Tokens]:
    """The tokens of a log-in. Raises Refused for a refusal."""
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    tokens = Tokens(
        user_id=outcome.user_id,
        access_token=access_tokens.sign(outcome),
        refresh_token=outcome.refresh_token,
        expires_in=access_tokens.life_seconds,
    )
    return Response(tokens, headers=NO_STORE)
