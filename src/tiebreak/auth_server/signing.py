"""The signing keys, and access tokens signed with the newest of them.

Keys live in Postgres, because every instance must sign and publish the same ones across restarts. The newest
signs; all are published, so that tokens signed with an older one stay valid until they expire.
"""

from __future__ import annotations

import asyncio

import msgspec
import structlog
from joserfc import jwt
from joserfc.jwk import KeySet, KeySetSerialization, RSAKey

from tiebreak.auth_server.logins import Login
from tiebreak.clock import Clock
from tiebreak.database.pool import OUTAGES, Connection, Pool
from tiebreak.database.queries import sql
from tiebreak.errors import KeysUnavailable
from tiebreak.ids import new_id
from tiebreak.tokens import ALGORITHM, AUDIENCE, ISSUER

log = structlog.get_logger()

KEY_BITS = 2048
CLOCK_SKEW_SECONDS = 60
LOCK = 0x7469_6B65  # "tike"


class AccessTokens:
    """Signs access tokens (see tokens.py for what is in them)."""

    def __init__(self, key: RSAKey, clock: Clock, *, minutes: int) -> None:
        self._key = key
        self._clock = clock
        self.life_seconds = minutes * 60

    def sign(self, login: Login) -> str:
        """An access token for a log-in, valid for `life_seconds`."""
        now = self._clock.now_ms() // 1000
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(login.user_id),
            "role": login.role,
            # Gateways check this to the second, each by its own clock.
            "nbf": now - CLOCK_SKEW_SECONDS,
            "exp": now + self.life_seconds,
            "jti": str(new_id()),
            "sid": str(login.id),
        }
        return jwt.encode({"alg": ALGORITHM, "kid": self._key.kid}, claims, self._key, algorithms=[ALGORITHM])


async def load_signing_key(pool: Pool) -> RSAKey:
    """The newest key, made now if there is none; instances that start at once agree on one. May be repeated."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(sql("lock_signing_keys"), LOCK)
        newest = await connection.fetchval(sql("newest_signing_key"))
        return await add_signing_key(connection) if newest is None else read_key(newest)


async def add_signing_key(connection: Connection) -> RSAKey:
    """Make a key and store it as the newest. Its `kid` is its thumbprint (RFC 7638)."""
    # Searching for primes takes up to a second of CPU, during which the event loop must go on.
    key = await asyncio.to_thread(
        RSAKey.generate_key, KEY_BITS, {"alg": ALGORITHM, "use": "sig"}, private=True, auto_kid=True
    )
    await connection.execute(sql("add_signing_key"), key.kid, msgspec.json.encode(key.as_dict(private=True)).decode())
    log.info("signing_key.made", kid=key.kid)
    return key


async def public_keys(pool: Pool) -> KeySetSerialization:
    """The public halves of all keys (RFC 7517), newest first.

    Read anew each time, so that a key added by another instance is known here too. Raises KeysUnavailable.
    """
    try:
        rows = await pool.fetch(sql("all_signing_keys"))
    except OUTAGES as error:
        raise KeysUnavailable(f"The signing keys cannot be read from Postgres ({error}).") from error
    return KeySet([read_key(row["private_jwk"]) for row in rows]).as_dict(private=False)


def read_key(private_jwk: str) -> RSAKey:
    """A key as it is stored."""
    return RSAKey.import_key(msgspec.json.decode(private_jwk, type=dict[str, str | list[str]]))
