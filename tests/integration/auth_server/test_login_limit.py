"""Failed log-ins are limited per address, by Redis if it is there, and never by its absence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from tests.integration.auth_server.visitor import Visitor, granted, refused
from tests.standing_clock import StandingClock
from tiebreak.auth_server import failure_limit
from tiebreak.auth_server.main import AuthServer, opened
from tiebreak.settings import Settings

LIMIT = 3


@pytest.fixture
def limited(settings: Settings, redis_url: str) -> Settings:
    return msgspec.structs.replace(
        settings, redis_url=redis_url, limit_login_failures_per_minute=LIMIT, password_hashers=1
    )


@pytest.fixture
async def server(limited: Settings, clock: StandingClock) -> AsyncIterator[AuthServer]:
    async with opened(limited, clock, asyncio.Event()) as server:
        yield server


async def test_after_so_many_failures_the_address_waits(visitor: Visitor, server: AuthServer) -> None:
    """Then not even the right password is looked at, from this address; from another it is."""
    await visitor.register()
    for _ in range(LIMIT):
        assert refused(await visitor.log_in(password="wrong")) == (401, "credentials_wrong")
    response = await visitor.log_in()
    assert refused(response) == (429, "too_many_tries")
    assert 1 <= int(response.headers["retry-after"]) <= 60
    granted(await Visitor(server.app, "192.0.2.2").log_in())


async def test_unknown_emails_count_too(visitor: Visitor) -> None:
    """Trying many e-mails is limited as trying many passwords is."""
    for number in range(LIMIT):
        await visitor.log_in(email=f"{number}@example.org")
    assert refused(await visitor.log_in()) == (429, "too_many_tries")


async def test_good_logins_do_not_count(visitor: Visitor) -> None:
    """A school behind one address logs in as often as it likes."""
    await visitor.register()
    for _ in range(LIMIT + 2):
        granted(await visitor.log_in())


async def test_tries_sent_at_once_are_counted_one_by_one(visitor: Visitor) -> None:
    """A burst gets no more tries than the same number one after the other."""
    responses = await asyncio.gather(*(visitor.log_in(password=f"guess {number}") for number in range(20)))
    assert [response.status_code for response in responses].count(401) == LIMIT
    assert [response.status_code for response in responses].count(429) == 20 - LIMIT


@asynccontextmanager
async def silent_server() -> AsyncGenerator[int]:
    """A port that takes connections and never says a word."""
    done = asyncio.Event()

    async def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        done.set()


async def test_without_redis_nobody_is_limited(settings: Settings, clock: StandingClock) -> None:
    """Failures are not counted when no Redis is set, and log-ins go on."""
    assert settings.redis_url == ""
    few = msgspec.structs.replace(settings, limit_login_failures_per_minute=1)
    async with opened(few, clock, asyncio.Event()) as server:
        await fail_twice_then_log_in(Visitor(server.app))


async def test_a_redis_that_is_gone_locks_nobody_out(
    limited: Settings, clock: StandingClock, unused_tcp_port: int
) -> None:
    """Nothing listens where Redis should be."""
    gone = msgspec.structs.replace(
        limited, redis_url=f"redis://127.0.0.1:{unused_tcp_port}", limit_login_failures_per_minute=1
    )
    async with opened(gone, clock, asyncio.Event()) as server:
        await fail_twice_then_log_in(Visitor(server.app))


async def test_a_redis_that_hangs_locks_nobody_out(
    limited: Settings, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis takes the connection and does not answer."""
    monkeypatch.setattr(failure_limit, "TIMEOUT_SECONDS", 0.05)
    async with silent_server() as port:
        hanging = msgspec.structs.replace(
            limited, redis_url=f"redis://127.0.0.1:{port}", limit_login_failures_per_minute=1
        )
        async with opened(hanging, clock, asyncio.Event()) as server, asyncio.timeout(20):
            await fail_twice_then_log_in(Visitor(server.app))


async def fail_twice_then_log_in(visitor: Visitor) -> None:
    await visitor.register()
    for _ in range(2):
        assert refused(await visitor.log_in(password="wrong")) == (401, "credentials_wrong")
    granted(await visitor.log_in())
