"""Log-ins: refresh tokens that rotate, and what ends them."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import structlog

from tiebreak.clock import Clock
from tiebreak.database.pool import Connection, Pool
from tiebreak.database.queries import sql
from tiebreak.errors import Refusal
from tiebreak.ids import new_id
from tiebreak.quiz.model import UserId
from tiebreak.tokens import Role

log = structlog.get_logger()

TOKEN_BYTES = 32
# A token is deleted this long after its end, when no refresh that found it valid can still be under way.
FORGET_AFTER = timedelta(days=1)


class Login(msgspec.Struct, frozen=True):
    """A log-in just begun or renewed: who, and the refresh token that goes on with it."""

    id: UUID
    user_id: UserId
    role: Role
    refresh_token: str


class Logins:
    """The families of refresh tokens. Of a token only its SHA-256 is stored; 256 random bits need no salt."""

    def __init__(self, pool: Pool, clock: Clock, *, token_days: int) -> None:
        self._pool = pool
        self._clock = clock
        self._token_life = timedelta(days=token_days)

    async def start(self, connection: Connection, user_id: UserId, role: Role) -> Login:
        """Begin a log-in, within the caller's transaction."""
        login_id = new_id()
        await connection.execute(sql("start_login"), login_id, user_id)
        return Login(login_id, user_id, role, await self._add_token(connection, login_id))

    async def rotate(self, refresh_token: str) -> Login | Refusal:
        """Exchange a refresh token for the next one.

        Not idempotent, on purpose: of two calls with one token the second is a reuse, which ends the log-in,
        also when both arrive at once.
        """
        # A refusal is returned, not raised: leaving by an exception would roll the revocation back.
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(sql("lock_refresh_token"), digest(refresh_token))
            if row is None:
                return Refusal.REFRESH_TOKEN_INVALID
            login_id, now = row["family_id"], self._now()
            if row["used_at"] is not None:
                await connection.execute(sql("revoke_login"), login_id)
                log.warning("login.revoked", login_id=str(login_id), reason="refresh_token_reused")
                return Refusal.REFRESH_TOKEN_REUSED
            if row["revoked_at"] is not None or row["expires_at"] <= now:
                return Refusal.REFRESH_TOKEN_INVALID
            await connection.execute(sql("use_refresh_token"), digest(refresh_token), now)
            return Login(login_id, row["user_id"], row["kind"], await self._add_token(connection, login_id))

    async def revoke(self, login_id: UUID) -> None:
        """End a log-in; no effect if it has ended.

        App servers hear of it within two seconds and refuse its access tokens; here they stay valid until they
        expire, so that a log-out may be repeated.
        """
        await self._pool.execute(sql("revoke_login"), login_id)
        log.info("login.revoked", login_id=str(login_id), reason="logout")

    async def find(self, refresh_token: str) -> UUID | None:
        """The log-in that a refresh token belongs to, ended or not."""
        return await self._pool.fetchval(sql("find_login"), digest(refresh_token))

    async def forget_ended(self) -> None:
        """Delete what can never be used again, so that the tables do not grow for ever."""
        past = self._now() - FORGET_AFTER
        await self._pool.execute(sql("forget_logins"), past)
        await self._pool.execute(sql("forget_refresh_tokens"), past)

    async def _add_token(self, connection: Connection, login_id: UUID) -> str:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        await connection.execute(sql("add_refresh_token"), digest(token), login_id, self._now() + self._token_life)
        return token

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)


def digest(refresh_token: str) -> bytes:
    """What is stored of a refresh token."""
    return hashlib.sha256(refresh_token.encode()).digest()
