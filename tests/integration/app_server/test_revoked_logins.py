"""A log-in ends, and with it all that its access token could do, on every app server. Real processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import socketio

from tests.client import Caller, Quizmaster, Screen, connected, quizmaster
from tests.integration.socket_adapter.app_server import AppServer, app_server
from tests.system import System

PASSWORD = "correct horse battery"


@pytest.fixture
def second(system: System, tmp_path: Path) -> Iterator[AppServer]:
    """Another app server on the same stores."""
    with app_server(system, tmp_path / "second.log") as server:
        yield server


@pytest.fixture
async def master(system: System) -> AsyncIterator[Quizmaster]:
    async with quizmaster(system.base_url) as master:
        yield master


async def code_of(caller: Caller, base_url: str) -> str:
    """The code that a private route refuses the token with; "accepted" if it does not."""
    async with httpx.AsyncClient(base_url=base_url, trust_env=False) as http:
        response = await http.get(f"/quiz-session/{uuid4()}/questions", headers=caller.headers)
    return response.json()["code"] if response.status_code == 401 else "accepted"


async def refused(caller: Caller, *base_urls: str) -> None:
    """Wait until each of these servers refuses the token."""
    async with asyncio.timeout(20):
        for base_url in base_urls:
            while (code := await code_of(caller, base_url)) == "accepted":
                await asyncio.sleep(0.05)
            assert code == "token_invalid"


@asynccontextmanager
async def sockets_on(caller: Caller, *base_urls: str) -> AsyncIterator[list[Screen]]:
    """A socket on each of these servers."""
    token = caller.tokens["access_token"]
    async with connected(base_urls[0], token) as first, connected(base_urls[1], token) as other:
        yield [first, other]


async def test_a_log_out(system: System, second: AppServer, master: Quizmaster) -> None:
    """The token is refused by all app servers, its sockets are closed, none is opened; other log-ins go on."""
    servers = (system.base_url, second.base_url)
    credentials = {"email": f"{uuid4()}@example.com", "password": PASSWORD}
    phone = Caller(master.http, (await master.http.post("/auth/register", json=credentials | {"name": "Ada"})).json())
    laptop = Caller(master.http, (await master.http.post("/auth/login", json=credentials)).json())
    for caller in (phone, laptop):
        for server in servers:
            assert await code_of(caller, server) == "accepted"
    async with sockets_on(phone, *servers) as ended, sockets_on(laptop, *servers) as stay:
        assert (await phone.post("/auth/logout")).status_code == 204
        await refused(phone, *servers)
        for screen in ended:
            await screen.until(lambda screen=screen: not screen.client.connected)
        for server in servers:
            assert await code_of(laptop, server) == "accepted"
            with pytest.raises(socketio.exceptions.ConnectionError):
                async with connected(server, phone.tokens["access_token"]):
                    pass
        for screen in stay:
            unknown = {"quiz_session_id": str(uuid4())}
            assert (await screen.client.call("enter_session", unknown))["code"] == "session_not_found"
    # Who has logged out may do so again, and comes back by logging in.
    assert (await phone.post("/auth/logout")).status_code == 204
    back = Caller(master.http, (await master.http.post("/auth/login", json=credentials)).json())
    assert await code_of(back, system.base_url) == "accepted"


async def test_a_refresh_token_used_twice(system: System, second: AppServer, master: Quizmaster) -> None:
    """Somebody has stolen it: neither of the two plays on with what he has, not with the newer token either."""
    servers = (system.base_url, second.base_url)
    first = await master.guest()
    refresh = {"refresh_token": first.tokens["refresh_token"]}
    newer = Caller(master.http, (await master.http.post("/auth/refresh", json=refresh)).json())
    async with sockets_on(first, *servers) as firsts, sockets_on(newer, *servers) as newers:
        again = await master.http.post("/auth/refresh", json=refresh)
        assert again.json()["code"] == "refresh_token_reused"
        for caller in (first, newer):
            await refused(caller, *servers)
        for screen in (*firsts, *newers):
            await screen.until(lambda screen=screen: not screen.client.connected)


async def test_an_app_server_that_starts_again(second: AppServer, master: Quizmaster) -> None:
    """It refuses from its first request on what was revoked before its start."""
    caller, other = await master.guest(), await master.guest()
    with second.killed():
        assert (await caller.post("/auth/logout")).status_code == 204
    assert await code_of(caller, second.base_url) == "token_invalid"
    assert await code_of(other, second.base_url) == "accepted"
    with second.killed():
        pass
    assert await code_of(caller, second.base_url) == "token_invalid"
