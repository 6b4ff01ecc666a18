"""Failed log-ins are limited per address, by all servers together or, without Redis, by each; and so are the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest
import structlog

from tests.integration.auth_server.visitor import Visitor, granted, refused
from tests.standing_clock import StandingClock
from tiebreak.auth_server.main import AuthServer, opened
from tiebreak.cache import limits
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


async def test_a_failure_is_logged(visitor: Visitor) -> None:
    """From where it came, and not for whom."""
    with structlog.testing.capture_logs() as logged:
        await visitor.log_in(email="someone@example.org")
    [event] = [event for event in logged if event["event"] == "login.failed"]
    assert event["address"] == "192.0.2.1"
    assert "someone" not in str(logged)


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


async def test_without_redis_a_server_counts_by_itself(settings: Settings, clock: StandingClock) -> None:
    """No Redis is set: log-ins go on, and are limited all the same."""
    assert settings.redis_url == ""
    few = msgspec.structs.replace(settings, limit_login_failures_per_minute=LIMIT)
    async with opened(few, clock, asyncio.Event()) as server:
        await log_in_and_fail_too_often(server, clock)


async def test_a_redis_that_is_gone_locks_nobody_out(
    limited: Settings, clock: StandingClock, unused_tcp_port: int
) -> None:
    """Nothing listens where Redis should be."""
    gone = msgspec.structs.replace(limited, redis_url=f"redis://127.0.0.1:{unused_tcp_port}")
    async with opened(gone, clock, asyncio.Event()) as server:
        await log_in_and_fail_too_often(server, clock)


async def test_a_redis_that_hangs_locks_nobody_out(
    limited: Settings, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis takes the connection and does not answer."""
    monkeypatch.setattr(limits, "TIMEOUT_SECONDS", 0.05)
    async with silent_server() as port:
        hanging = msgspec.structs.replace(limited, redis_url=f"redis://127.0.0.1:{port}")
        async with opened(hanging, clock, asyncio.Event()) as server, asyncio.timeout(20):
            await log_in_and_fail_too_often(server, clock)


async def log_in_and_fail_too_often(server: AuthServer, clock: StandingClock) -> None:
    visitor = Visitor(server.app)
    await visitor.register()
    for _ in range(LIMIT):
        granted(await visitor.log_in())
        assert refused(await visitor.log_in(password="wrong")) == (401, "credentials_wrong")
    assert refused(await visitor.log_in()) == (429, "too_many_tries")
    granted(await Visitor(server.app, "192.0.2.2").log_in())
    clock.advance(minutes=1)
    granted(await visitor.log_in())


@pytest.mark.parametrize("setting", ["limit_guests_per_minute", "limit_logins_per_minute"])
async def test_one_address_comes_in_so_often(settings: Settings, clock: StandingClock, setting: str) -> None:
    """Guests by themselves; log-ins, good ones too, together with registrations, since each costs a hash."""
    few = msgspec.structs.replace(settings, **{setting: 3})
    async with opened(few, clock, asyncio.Event()) as server:
        visitor, other = Visitor(server.app), Visitor(server.app, "192.0.2.2")

        async def come(visitor: Visitor, number: int) -> httpx.Response:
            if setting == "limit_guests_per_minute":
                return await visitor.post("/auth/guest", {"name": "Ada"})
            return await visitor.log_in() if number % 2 else await visitor.try_register(f"{number}@example.org")

        await visitor.register()
        clock.advance(minutes=1)
        for number in range(3):
            granted(await come(visitor, number))
        response = await come(visitor, 4)
        assert refused(response) == (429, "too_many_tries")
        assert 1 <= int(response.headers["retry-after"]) <= 60
        granted(await come(other, 5))
        clock.advance(minutes=1)
        granted(await come(visitor, 7))


async def test_addresses_of_one_network_are_one(settings: Settings, clock: StandingClock) -> None:
    """Who has IPv6 has more addresses than there are passwords: its network counts."""
    few = msgspec.structs.replace(settings, limit_login_failures_per_minute=LIMIT)
    async with opened(few, clock, asyncio.Event()) as server:
        await Visitor(server.app).register()
        for number in range(LIMIT):
            await Visitor(server.app, f"2001:db8:1:2::{number}").log_in(password="wrong")
        assert refused(await Visitor(server.app, "2001:db8:1:2:ffff::1").log_in()) == (429, "too_many_tries")
        granted(await Visitor(server.app, "2001:db8:1:3::1").log_in())


async def test_no_more_wait_to_be_hashed_than_may(settings: Settings, clock: StandingClock) -> None:
    """What is too much is refused at once with 503, and not begun; registrations and log-ins wait together."""
    few = msgspec.structs.replace(settings, password_hashers=1, limit_waiting_logins=2)
    async with opened(few, clock, asyncio.Event()) as server:
        emails = [f"{number}@example.org" for number in range(10)]
        visitors = [Visitor(server.app, f"192.0.2.{number}") for number in range(10)]
        tries = [
            visitor.try_register(email) if number % 2 else visitor.log_in(email)
            for number, (visitor, email) in enumerate(zip(visitors, emails, strict=True))
        ]
        responses = await asyncio.gather(*tries)
        busy = [response for response in responses if response.status_code == 503]
        assert len(busy) == 10 - 3
        assert {refused(response) for response in busy} == {(503, "busy")}
        assert all(int(response.headers["retry-after"]) >= 1 for response in busy)
        # Nothing was half done, and places are free again.
        for email, response in zip(emails, responses, strict=True):
            taken = await visitors[0].try_register(email)
            assert taken.status_code == (409 if response.status_code == 200 else 200)


async def test_one_address_does_not_fill_the_queue(settings: Settings, clock: StandingClock) -> None:
    """A flood from one address is told that it is too much; somebody else gets in meanwhile."""
    few = msgspec.structs.replace(settings, password_hashers=1, limit_waiting_logins=4)
    async with opened(few, clock, asyncio.Event()) as server:
        flood = [Visitor(server.app).try_register(f"{number}@example.org") for number in range(10)]
        *responses, registered = await asyncio.gather(*flood, Visitor(server.app, "192.0.2.2").try_register())
        assert [response.status_code for response in responses].count(503) == 10 - 1 - 4 // 2
        granted(registered)
