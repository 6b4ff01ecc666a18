"""Log-ins are renewed once per token; against a real HTTP server that behaves badly on demand."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from tests.unit.load_test.serving import serving
from tiebreak.load_test.http_client import HttpClient
from tiebreak.load_test.login import Login, RenewalFailed
from tiebreak.load_test.measurements import Measurements
from tiebreak.load_test.replies import Tokens
from tiebreak.load_test.run import unless_ended
from tiebreak.load_test.upkeep import renew_tokens


@asynccontextmanager
async def login_at(reply):
    """A log-in that is due, at a server with this reply (None: the connection breaks), and what the server was sent."""
    sent = []

    async def handle(request):
        sent.append(await request.json())
        if reply is None:
            request.transport.abort()
            return web.Response()
        return web.json_response(reply[1], status=reply[0])

    async with serving(handle) as url, HttpClient(url) as http:
        yield Login(http, Tokens("old", "once", 0)), sent


async def test_newer_tokens():
    """Are taken over."""
    async with login_at((200, {"access_token": "new", "refresh_token": "next", "expires_in": 900})) as (login, sent):
        assert await login.renew()
    assert (login.token, login.is_due) == ("new", False)
    assert sent == [{"refresh_token": "once"}]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [(None, "connection lost"), ((401, {"code": "refresh_token_reused"}), "status 401"), ((200, {}), "status 200")],
)
async def test_a_renewal_that_failed_is_not_tried_again(reply, reason):
    """The token may have been used, and using it twice would end the log-in."""
    async with login_at(reply) as (login, sent):
        with pytest.raises(RenewalFailed, match=reason):
            await login.renew()
    assert not login.is_due
    assert len(sent) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_a_renewal_that_was_not_carried_out(status):
    """May be tried again."""
    async with login_at((status, {})) as (login, _):
        assert not await login.renew()


async def test_nobody_there_to_renew():
    """What was not sent was not carried out."""
    async with HttpClient("http://127.0.0.1:1") as http:
        assert not await Login(http, Tokens("old", "once", 0)).renew()


class Stage:
    """Only a host, whose log-in is due."""

    players = ()

    def __init__(self, host):
        self.host = host


async def test_renewals_that_fail_are_counted():
    """And the others are renewed all the same."""
    measurements = Measurements()
    async with login_at(None) as (login, _), asyncio.timeout(10):
        renewing = asyncio.create_task(renew_tokens(Stage(login), measurements))
        while not measurements.renewals_failed:
            await asyncio.sleep(0.01)
        assert not renewing.done()
        renewing.cancel()
    assert measurements.renewals_failed == {"connection lost": 1}


async def test_renewing_does_not_end_in_silence():
    """What nobody expected there ends the test."""

    class Unforeseen(HttpClient):
        async def call(self, method, path, *, token="", body=None):
            raise RuntimeError("nobody expected this")

    stage = Stage(Login(Unforeseen("http://127.0.0.1:1"), Tokens("old", "once", 0)))
    playing = asyncio.create_task(asyncio.Event().wait())
    async with asyncio.timeout(10):
        with pytest.raises(RuntimeError, match="nobody expected this"):
            await unless_ended(playing, asyncio.create_task(renew_tokens(stage, Measurements())))
    assert playing.cancelled()
