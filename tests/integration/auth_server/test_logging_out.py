"""Logging out: by refresh token, by bearer token."""

from __future__ import annotations

import pytest

from tests.integration.auth_server.visitor import Visitor, granted, refused
from tests.standing_clock import StandingClock
from tiebreak.tokens import Identity


async def test_by_refresh_token(visitor: Visitor) -> None:
    """The log-in of the token in the body is over; saying so again is no mistake."""
    tokens = await visitor.enter()
    for _ in range(2):
        response = await visitor.post("/auth/logout", {"refresh_token": tokens.refresh_token})
        assert (response.status_code, response.content) == (204, b"")
    assert refused(await visitor.refresh(tokens.refresh_token)) == (401, "refresh_token_invalid")


async def test_by_a_refresh_token_used_before(visitor: Visitor) -> None:
    """Any token of the log-in ends it, also one that has been exchanged since."""
    first = await visitor.enter()
    second = granted(await visitor.refresh(first.refresh_token))
    assert (await visitor.post("/auth/logout", {"refresh_token": first.refresh_token})).status_code == 204
    assert refused(await visitor.refresh(second.refresh_token)) == (401, "refresh_token_invalid")


@pytest.mark.parametrize("body", [None, {}, {"refresh_token": None}])
async def test_by_bearer_token(visitor: Visitor, body: object) -> None:
    """Without a refresh token the bearer token ends its own log-in, and no other of the user."""
    own = await visitor.register()
    other = granted(await visitor.log_in())
    assert (await visitor.post("/auth/logout", body, token=own.access_token)).status_code == 204
    assert refused(await visitor.refresh(own.refresh_token)) == (401, "refresh_token_invalid")
    granted(await visitor.refresh(other.refresh_token))


async def test_by_neither(visitor: Visitor) -> None:
    """Someone who shows no token is told to."""
    assert refused(await visitor.post("/auth/logout")) == (401, "token_missing")
    assert refused(await visitor.post("/auth/logout", {})) == (401, "token_missing")
    assert refused(await visitor.post("/auth/logout", token="x.y.z")) == (401, "token_invalid")


async def test_by_an_unknown_refresh_token(visitor: Visitor) -> None:
    """A made-up token ends nothing, not even the log-in of a bearer token beside it."""
    tokens = await visitor.enter()
    response = await visitor.post("/auth/logout", {"refresh_token": "made up"}, token=tokens.access_token)
    assert refused(response) == (401, "refresh_token_invalid")
    granted(await visitor.refresh(tokens.refresh_token))


async def test_access_tokens_live_on_until_they_expire(visitor: Visitor, clock: StandingClock) -> None:
    """The auth server checks an access token by its signature alone, so that a log-out may be repeated with it.

    App servers do not accept it any more (tests/integration/app_server).
    """
    tokens = await visitor.enter()
    await visitor.post("/auth/logout", {"refresh_token": tokens.refresh_token})
    assert isinstance(await visitor.verify(tokens.access_token, clock), Identity)
    clock.advance(minutes=15)
    assert refused(await visitor.me(tokens.access_token)) == (401, "token_expired")
