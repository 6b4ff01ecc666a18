"""The process: opens its parts, serves, closes them in reverse order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import msgspec
import structlog
from litestar import Litestar
from prometheus_client import CollectorRegistry

from tiebreak.auth_server.accounts import Accounts
from tiebreak.auth_server.entry_limits import EntryLimits
from tiebreak.auth_server.hashing_turns import HashingTurns
from tiebreak.auth_server.logins import Logins
from tiebreak.auth_server.passwords import Passwords
from tiebreak.auth_server.routes import ROUTES
from tiebreak.auth_server.signing import AccessTokens, load_signing_key, public_keys
from tiebreak.cache.call_limits import CallLimits
from tiebreak.cache.limits import MissLimit
from tiebreak.clock import Clock, SystemClock
from tiebreak.database.pool import FAILURES, OUTAGES, can_write, open_pool, patiently
from tiebreak.http_edge.application import application
from tiebreak.http_edge.health import HEALTH_ROUTES, Doctor
from tiebreak.http_edge.serving import serve
from tiebreak.redis_client import open_redis
from tiebreak.settings import Settings, required
from tiebreak.tokens import Verifier

log = structlog.get_logger()

FORGET_EVERY_SECONDS = 3600.0


class AuthServer(msgspec.Struct, frozen=True):
    """What the process runs: the application, the log-ins whose ended ones it forgets, the limits it shares."""

    app: Litestar
    logins: Logins
    limits: CallLimits


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until `stop` is set.

    The database must have been migrated. Raises SettingsInvalid without TIEBREAK_DATABASE_URL, and
    DatabaseUnavailable if Postgres does not answer at the start.
    """
    clock = SystemClock()
    async with opened(settings, clock, stop) as server, asyncio.TaskGroup() as group:
        forgetting = group.create_task(keep_forgetting(server.logins, clock))
        sharing = group.create_task(server.limits.run())
        await serve(server.app, settings, stop)
        forgetting.cancel()
        sharing.cancel()


@asynccontextmanager
async def opened(settings: Settings, clock: Clock, stop: asyncio.Event) -> AsyncGenerator[AuthServer]:
    """The parts, open for as long as the context lasts."""
    url = required(settings.database_url, "TIEBREAK_DATABASE_URL")
    async with AsyncExitStack() as closing:
        pool = await open_pool(url, size=settings.database_pool_size)
        closing.push_async_callback(pool.close)
        passwords = Passwords(at_once=settings.password_hashers)
        closing.callback(passwords.close)
        redis = None
        if settings.redis_url:
            redis = await open_redis(settings.redis_url)
            closing.push_async_callback(redis.aclose)
        else:
            log.warning("limits.not_shared", reason="TIEBREAK_REDIS_URL is not set: each auth server counts by itself")
        limits = CallLimits(redis, clock)
        key = await patiently(partial(load_signing_key, pool), seconds=10)
        logins = Logins(pool, clock, token_days=settings.refresh_token_days)
        entry_limits = EntryLimits(
            limits.limit("guests", settings.limit_guests_per_minute),
            limits.limit("logins", settings.limit_logins_per_minute),
            MissLimit(redis, clock, name="login", per_minute=settings.limit_login_failures_per_minute),
        )
        turns = HashingTurns(at_once=settings.password_hashers, longest_queue=settings.limit_waiting_logins)
        parts = {
            "pool": pool,
            "doctor": Doctor({"database": partial(can_write, pool)}, CollectorRegistry(), stop),
            "accounts": Accounts(pool, logins, passwords, entry_limits, turns),
            "logins": logins,
            "access_tokens": AccessTokens(key, clock, minutes=settings.access_token_minutes),
            "verifier": Verifier(lambda: public_keys(pool), clock),
        }
        app = application([*ROUTES, *HEALTH_ROUTES], parts, outages=OUTAGES)
        yield AuthServer(app, logins, limits)


async def keep_forgetting(logins: Logins, clock: Clock) -> None:
    """Forget ended log-ins now and every hour; a database outage only puts it off."""
    while True:
        try:
            await logins.forget_ended()
        except FAILURES as error:
            log.warning("logins.not_forgotten", error=str(error))
        await clock.sleep(FORGET_EVERY_SECONDS)
