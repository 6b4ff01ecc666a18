"""Access tokens: what is in them and how they are verified.

RS256 JWT (RFC 7519) with ``iss`` "tiebreak-auth", ``aud`` "tiebreak", ``sub`` (user id), ``role``, ``nbf`` (which
only gateways check), ``exp``, ``jti``, ``sid`` (the log-in, which a log-out ends), and ``kid`` in the header.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal
from uuid import UUID

import msgspec
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from tiebreak.clock import Clock
from tiebreak.errors import KeysUnavailable, Refusal
from tiebreak.quiz.model import UserId

ISSUER = "tiebreak-auth"
AUDIENCE = "tiebreak"
ALGORITHM = "RS256"
MAX_TOKEN_LENGTH = 4096
KEY_RELOAD_SECONDS = 5.0

Role = Literal["guest", "account"]
KeyLoader = Callable[[], Awaitable[KeySetSerialization]]


class Identity(msgspec.Struct, frozen=True):
    """Who is calling, as the token says. `expires_at` in seconds since the epoch."""

    user_id: UserId
    role: Role
    login_id: UUID
    expires_at: int


class Claims(msgspec.Struct, frozen=True):
    """The claims every access token carries (RFC 7519 §4.1, OpenID Connect for `sid`)."""

    iss: Literal["tiebreak-auth"]
    aud: Literal["tiebreak"]
    sub: UUID
    role: Role
    exp: int
    jti: str
    sid: UUID


class Verifier:
    """Checks access tokens against a set of public keys that may rotate."""

    def __init__(self, load_keys: KeyLoader, clock: Clock) -> None:
        self._load_keys = load_keys
        self._clock = clock
        self._keys: KeySet | None = None
        self._loaded_at = float("-inf")

    async def verify(self, token: str | None) -> Identity | Refusal:
        """The caller, or why the token is not accepted.

        Checks the signature with RS256 and nothing else, `iss`, `aud`, `exp` (no leeway) and that every
        claim is there. A `kid` not seen before makes it load the keys again, at most every few seconds.
        Raises KeysUnavailable if there are no keys yet and none can be had.
        """
        if not token:
            return Refusal.TOKEN_MISSING
        if len(token) > MAX_TOKEN_LENGTH:
            return Refusal.TOKEN_INVALID
        keys = self._keys or await self._reload()
        try:
            try:
                decoded = jwt.decode(token, keys, algorithms=[ALGORITHM])
            except InvalidKeyIdError:
                if not self._may_reload():
                    return Refusal.TOKEN_INVALID
                decoded = jwt.decode(token, await self._reload(), algorithms=[ALGORITHM])
            claims = msgspec.convert(decoded.claims, Claims)
        except (JoseError, ValueError):
            # msgspec.ValidationError, UnicodeError and broken base64 are ValueErrors.
            return Refusal.TOKEN_INVALID
        if claims.exp * 1000 <= self._clock.now_ms():
            return Refusal.TOKEN_EXPIRED
        return Identity(UserId(claims.sub), claims.role, claims.sid, claims.exp)

    async def ready(self) -> None:
        """Raises KeysUnavailable while no token could be checked."""
        if self._keys is None:
            await self._reload()

    def _may_reload(self) -> bool:
        return self._clock.monotonic() - self._loaded_at >= KEY_RELOAD_SECONDS

    async def _reload(self) -> KeySet:
        """Fetch the keys; those at hand stay in use if that fails."""
        try:
            self._keys = KeySet.import_key_set(await self._load_keys())
        except KeysUnavailable:
            if self._keys is None:
                raise
        self._loaded_at = self._clock.monotonic()
        return self._keys


def bearer_token(authorization: str | None) -> str | None:
    """The token of an `Authorization: Bearer …` header (RFC 6750), if it is one."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
