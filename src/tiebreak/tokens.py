"""Access tokens: what is in them and how they are verified.

RS256 JWT (RFC 7519) with ``iss`` "tiebreak-auth", ``aud`` "tiebreak", ``sub`` (user id), ``role``, ``nbf`` (which
only gateways check), ``exp``, ``jti``, ``sid`` (the log-in, which a log-out ends), and ``kid`` in the header.

A token that was verified once is remembered until it expires, its log-in is revoked or its key is withdrawn
(docs/decisions/0015).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from typing import Literal
from uuid import UUID

import msgspec
import structlog
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from tiebreak.clock import Clock
from tiebreak.errors import KeysUnavailable, Refusal
from tiebreak.quiz.model import UserId

log = structlog.get_logger()

ISSUER = "tiebreak-auth"
AUDIENCE = "tiebreak"
ALGORITHM = "RS256"
MAX_TOKEN_LENGTH = 4096
# At most so often because of a token with an unknown `kid`, and so often in any case.
KEY_RELOAD_SECONDS = 5.0
KEY_REFRESH_SECONDS = 60.0
# About 26 MB.
MAX_REMEMBERED = 50_000
# How many of the oldest are looked at, at most, to make room for one.
MAX_SPARED = 8

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


class Remembered(msgspec.Struct):
    """A verified token, without the token: its SHA-256."""

    digest: bytes
    identity: Identity
    kid: str
    was_used: bool = False
    # The revoked log-ins as they were when its own was not among them.
    cleared_by: frozenset[UUID] | None = None


class RememberedTokens:
    """Verified tokens by their SHA-256, at most `limit`.

    When it is full the oldest goes, but is spared once if it was used since it came, or since it was spared before
    ("second chance"). So tokens that are shown once, however many are made for the purpose, do not drive out those in
    use.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tokens: OrderedDict[bytes, Remembered] = OrderedDict()
        # By digest; asked for every answer, and so without a function of ours around it.
        self.get = self._tokens.get

    def __len__(self) -> int:
        return len(self._tokens)

    def add(self, token: Remembered) -> None:
        if len(self._tokens) >= self._limit:
            self._make_room()
        self._tokens[token.digest] = token

    def forget(self, digest: bytes) -> None:
        del self._tokens[digest]

    def forget_keys(self, kids: Collection[str]) -> None:
        """Those signed with these keys."""
        for digest in [digest for digest, token in self._tokens.items() if token.kid in kids]:
            del self._tokens[digest]

    def _make_room(self) -> None:
        for _ in range(MAX_SPARED):
            digest, oldest = self._tokens.popitem(last=False)
            if not oldest.was_used:
                return
            oldest.was_used = False
            self._tokens[digest] = oldest
        self._tokens.popitem(last=False)


class Verifier:
    """Checks access tokens against a set of public keys that may rotate.

    `revoked` are the log-ins whose tokens are refused, kept by whoever knows of them. `longest_life_seconds` is the
    most that any token had left when it was verified: so long a revoked log-in matters.
    """

    def __init__(self, load_keys: KeyLoader, clock: Clock, *, max_remembered: int = MAX_REMEMBERED) -> None:
        # Whoever knows of more makes it another set.
        self.revoked: frozenset[UUID] = frozenset()
        self.longest_life_seconds = 0
        self._load_keys = load_keys
        self._clock = clock
        self._keys: KeySet | None = None
        self._loaded_at = float("-inf")
        self._loading: asyncio.Task[KeySet] | None = None
        self._remembered = RememberedTokens(max_remembered)

    def remembered(self, token: str | bytes) -> Identity | None:
        """The caller, if this very token was verified before and is still good.

        It costs about a microsecond, a hundredth of checking a signature. None says nothing: `verify` has to be asked.
        """
        known = self.recall(token)
        return self.still_good(known, self._clock.now_ms()) if known else None

    def recall(self, token: str | bytes) -> Remembered | None:
        """What is remembered of this very token: good as long as `still_good` says so, each time it is asked."""
        return self._remembered.get(digest_of(token)) if len(token) <= MAX_TOKEN_LENGTH else None

    def still_good(self, known: Remembered, now_ms: int) -> Identity | None:
        """The caller, as `remembered` has it, for who kept what was recalled: without the digest, which is most of it.

        Expired, revoked, forgotten with its key or for want of room: None.
        """
        # Remembered anew it is another one.
        if self._remembered.get(known.digest) is not known:
            return None
        identity = known.identity
        if identity.expires_at * 1000 <= now_ms:
            self._remembered.forget(known.digest)
            return None
        if known.cleared_by is not self.revoked:
            if identity.login_id in self.revoked:
                return None
            known.cleared_by = self.revoked
        known.was_used = True
        return identity

    async def verify(self, token: str | None) -> Identity | Refusal:
        """The caller, or why the token is not accepted.

        Checks the signature with RS256 and nothing else, `iss`, `aud`, `exp` (no leeway), that every claim is there and
        that the log-in is not revoked; of a token that is remembered, only what may have changed. A `kid` not seen
        before makes it load the keys again, at most every few seconds. Raises KeysUnavailable if there are no keys yet
        and none can be had.
        """
        if not token:
            return Refusal.TOKEN_MISSING
        if len(token) > MAX_TOKEN_LENGTH:
            return Refusal.TOKEN_INVALID
        if identity := self.remembered(token):
            return identity
        keys = await self._reload() if self._keys is None else self._keys
        try:
            try:
                decoded = jwt.decode(token, keys, algorithms=[ALGORITHM])
            except InvalidKeyIdError:
                if not self._may_reload():
                    return Refusal.TOKEN_INVALID
                decoded = jwt.decode(token, await self._reload(), algorithms=[ALGORITHM])
            claims = msgspec.convert(decoded.claims, Claims)
            # A library may take a key without a name where there is only one.
            kid = msgspec.convert(decoded.header.get("kid"), str)
        except (JoseError, ValueError):
            # msgspec.ValidationError, UnicodeError and broken base64 are ValueErrors.
            return Refusal.TOKEN_INVALID
        # No await from here: what is revoked or withdrawn meanwhile must not be accepted, let alone remembered.
        life_ms = claims.exp * 1000 - self._clock.now_ms()
        if life_ms <= 0:
            return Refusal.TOKEN_EXPIRED
        if claims.sid in self.revoked:
            return Refusal.TOKEN_INVALID
        self.longest_life_seconds = max(self.longest_life_seconds, -(-life_ms // 1000))
        identity = Identity(UserId(claims.sub), claims.role, claims.sid, claims.exp)
        self._remembered.add(Remembered(digest_of(token), identity, kid))
        return identity

    async def ready(self) -> None:
        """Raises KeysUnavailable while no token could be checked."""
        if not (self._keys or await self._reload()):
            raise KeysUnavailable("The auth server publishes no keys. Start it again: it makes one if there is none.")

    async def run(self) -> None:
        """Load the keys again and again, for ever, so that a withdrawn one is not trusted for long."""
        while True:
            await self._clock.sleep(KEY_REFRESH_SECONDS)
            try:
                await self._reload()
            except KeysUnavailable as error:
                log.warning("keys.unavailable", error=str(error))

    def count_remembered(self) -> int:
        """Tokens that need no signature check, expired ones among them."""
        return len(self._remembered)

    def _may_reload(self) -> bool:
        return self._clock.monotonic() - self._loaded_at >= KEY_RELOAD_SECONDS

    async def _reload(self) -> KeySet:
        """Fetch the keys, once for all who ask at the same time; those at hand stay in use if that fails."""
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._load())
        # Whoever gives up waiting does not take the keys from the others.
        return await asyncio.shield(self._loading)

    async def _load(self) -> KeySet:
        try:
            keys = key_set(await self._load_keys())
        except KeysUnavailable as error:
            if self._keys is None:
                raise
            log.warning("keys.not_reloaded", error=str(error))
            keys = self._keys
        self._trust(keys)
        return keys

    def _trust(self, keys: KeySet) -> None:
        """These keys from now on, and no others."""
        if withdrawn := kids_of(self._keys) - kids_of(keys):
            self._remembered.forget_keys(withdrawn)
            log.info("keys.withdrawn", kids=sorted(withdrawn))
        self._keys = keys
        self._loaded_at = self._clock.monotonic()


def digest_of(token: str | bytes) -> bytes:
    """What a token is remembered by."""
    # A token is ASCII. What is not becomes something that no token is.
    return hashlib.sha256(token if isinstance(token, bytes) else token.encode("ascii", "replace")).digest()


def key_set(published: KeySetSerialization) -> KeySet:
    """The keys; none at all is an answer too, by which no token is good. Raises KeysUnavailable if it is no key set."""
    try:
        return KeySet.import_key_set(published) if published["keys"] else KeySet([])
    except (JoseError, ValueError, TypeError, LookupError) as error:
        raise KeysUnavailable(
            f"What the auth server publishes at /.well-known/jwks.json is no key set ({error!r}). "
            "Check that TIEBREAK_AUTH_URL is the auth server's."
        ) from error


def kids_of(keys: KeySet | None) -> set[str]:
    return {key.kid for key in keys or () if key.kid}


def bearer_token(authorization: str | None) -> str | None:
    """The token of an `Authorization: Bearer …` header (RFC 6750), if it is one."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
