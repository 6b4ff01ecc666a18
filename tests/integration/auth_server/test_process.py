"""The process: starting, health, stopping, outages, what it logs."""

from __future__ import annotations

import asyncio
import socket

import asyncpg
import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from tests.integration.auth_server.detour import Detour
from tests.integration.auth_server.visitor import EMAIL, PASSWORD, Visitor, granted, refused
from tests.standing_clock import StandingClock
from tiebreak.auth_server.main import keep_forgetting, opened, run
from tiebreak.auth_server.signing import LOCK
from tiebreak.database.pool import Pool
from tiebreak.errors import SettingsInvalid
from tiebreak.settings import Settings


async def test_it_serves_until_told_to_stop(settings: Settings, redis_url: str) -> None:
    """On an inherited socket: healthy, ready, letting guests in; told to stop, it ends by itself."""
    stop = asyncio.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        inherited = msgspec.structs.replace(settings, redis_url=redis_url, listen_fd=listener.detach())
    running = asyncio.create_task(run(inherited, stop))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as http:
            assert (await http.get("/healthz")).json() == {"status": "ok"}
            assert (await http.get("/readyz")).status_code == 200
            assert (await http.post("/auth/guest", json={"name": "Ada"})).status_code == 200
            assert (await http.get("/.well-known/jwks.json")).json()["keys"]
    finally:
        stop.set()
        await asyncio.wait_for(running, 20)


async def test_without_a_database_url_it_says_so() -> None:
    """The message names the variable to set."""
    with pytest.raises(SettingsInvalid, match="TIEBREAK_DATABASE_URL"):
        await run(Settings(), asyncio.Event())


async def test_a_database_outage_is_a_503_and_passes(settings: Settings, clock: StandingClock) -> None:
    """While Postgres is away: alive, not ready, requests may be sent again; when it is back all is well."""
    async with Detour(settings.database_url).open() as detour:
        away = msgspec.structs.replace(settings, database_url=detour.url, database_pool_size=2)
        async with opened(away, clock, asyncio.Event()) as server:
            visitor = Visitor(server.app)
            tokens = await visitor.enter()
            detour.block()
            assert (await visitor.get("/healthz")).status_code == 200
            assert refused(await visitor.get("/readyz")) == (503, "unavailable")
            for response in (
                await visitor.post("/auth/guest", {"name": "Ada"}),
                await visitor.refresh(tokens.refresh_token),
                await visitor.me(tokens.access_token),
                await visitor.get("/.well-known/jwks.json"),
            ):
                assert refused(response) == (503, "unavailable")
                assert "retry-after" in response.headers
            detour.unblock()
            assert (await visitor.get("/readyz")).status_code == 200
            granted(await visitor.refresh(tokens.refresh_token))


async def test_it_forgets_ended_logins_every_hour(settings: Settings, clock: StandingClock, pool: Pool) -> None:
    """The loop deletes what ended since, an hour later."""
    async with opened(settings, clock, asyncio.Event()) as server:
        await Visitor(server.app).enter()
        forgetting = asyncio.create_task(keep_forgetting(server.logins, clock))
        clock.advance(days=62)
        async with asyncio.timeout(10):
            while await pool.fetchval("SELECT count(*) FROM refresh_families"):
                clock.advance(minutes=60)
        forgetting.cancel()
        await asyncio.gather(forgetting, return_exceptions=True)


async def test_no_secret_is_logged(settings: Settings, clock: StandingClock) -> None:
    """Through every way in and out, and every refusal: no password, e-mail or token in any event."""
    with capture_logs() as events:
        async with opened(settings, clock, asyncio.Event()) as server:
            visitor = Visitor(server.app)
            tokens = await visitor.register()
            await visitor.try_register()
            await visitor.log_in(password="wrong password")
            rotated = granted(await visitor.refresh(tokens.refresh_token))
            await visitor.refresh(tokens.refresh_token)
            await visitor.post("/auth/logout", {"refresh_token": rotated.refresh_token})
            await visitor.me(rotated.access_token + "x")
            await visitor.post("/auth/login", {"email": EMAIL, "password": PASSWORD, "extra": 1})
    assert {event["event"] for event in events} >= {"account.registered", "login.revoked", "signing_key.made"}
    logged = repr(events)
    for secret in (
        EMAIL,
        PASSWORD,
        "wrong password",
        tokens.refresh_token,
        rotated.refresh_token,
        rotated.access_token,
    ):
        assert secret not in logged


async def test_a_connection_lost_while_starting_is_tried_again(settings: Settings, clock: StandingClock) -> None:
    """Cut off while it waits for the keys' lock, it asks anew and serves."""
    connection = await asyncpg.connect(settings.database_url)
    async with Detour(settings.database_url).open() as detour:
        cut_off = msgspec.structs.replace(settings, database_url=detour.url, database_pool_size=1)

        async def served() -> None:
            async with opened(cut_off, clock, asyncio.Event()) as server:
                assert (await Visitor(server.app).get("/readyz")).status_code == 200

        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            serving = asyncio.create_task(served())
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            async with asyncio.timeout(10):
                while not await connection.fetchval(waiting):
                    await asyncio.sleep(0.01)
            detour.block()
            detour.unblock()
        async with asyncio.timeout(10):
            await serving
    await connection.close()
