"""Refresh tokens: rotation, reuse, expiry."""

from __future__ import annotations

import asyncio
from collections import Counter

from tests.integration.auth_server.visitor import Granted, Visitor, granted, refused
from tests.standing_clock import StandingClock
from tiebreak.auth_server.main import AuthServer
from tiebreak.database.pool import Pool
from tiebreak.tokens import Identity


async def identity_of(visitor: Visitor, tokens: Granted, clock: StandingClock) -> Identity:
    identity = await visitor.verify(tokens.access_token, clock)
    assert isinstance(identity, Identity)
    return identity


async def test_a_refresh_goes_on_with_the_login(visitor: Visitor, clock: StandingClock) -> None:
    """User, role and log-in stay; both tokens are new, and the new refresh token works in turn."""
    first = await visitor.register()
    clock.advance(minutes=20)
    second = granted(await visitor.refresh(first.refresh_token))
    third = granted(await visitor.refresh(second.refresh_token))
    assert len({tokens.refresh_token for tokens in (first, second, third)}) == 3
    assert len({tokens.access_token for tokens in (first, second, third)}) == 3
    before, after = await identity_of(visitor, second, clock), await identity_of(visitor, third, clock)
    assert before == after
    assert (before.user_id, before.role) == (first.user_id, "account")


async def test_a_guest_stays_a_guest(visitor: Visitor, clock: StandingClock) -> None:
    """A refresh does not raise the role."""
    tokens = granted(await visitor.refresh((await visitor.enter()).refresh_token))
    assert (await identity_of(visitor, tokens, clock)).role == "guest"


async def test_reuse_ends_the_login(visitor: Visitor) -> None:
    """A token presented twice was stolen by one of the two: neither of them can go on."""
    first = await visitor.enter()
    second = granted(await visitor.refresh(first.refresh_token))
    assert refused(await visitor.refresh(first.refresh_token)) == (401, "refresh_token_reused")
    assert refused(await visitor.refresh(second.refresh_token)) == (401, "refresh_token_invalid")


async def test_reuse_ends_no_other_login(visitor: Visitor) -> None:
    """The user's other devices stay logged in."""
    stolen = await visitor.register()
    other = granted(await visitor.log_in())
    granted(await visitor.refresh(stolen.refresh_token))
    refused(await visitor.refresh(stolen.refresh_token))
    granted(await visitor.refresh(other.refresh_token))


async def test_of_concurrent_refreshes_one_wins(visitor: Visitor) -> None:
    """However many arrive at once with one token: one gets the next, to the others it is used."""
    for _ in range(5):
        tokens = await visitor.enter()
        responses = await asyncio.gather(*(visitor.refresh(tokens.refresh_token) for _ in range(6)))
        codes = Counter(response.json().get("code", "granted") for response in responses)
        assert codes == {"granted": 1, "refresh_token_reused": 5}
        (won,) = [granted(response) for response in responses if response.status_code == 200]
        assert refused(await visitor.refresh(won.refresh_token)) == (401, "refresh_token_invalid")


async def test_an_unused_token_expires(visitor: Visitor, clock: StandingClock) -> None:
    """After 60 days without use the log-in is over; each use starts the 60 days anew."""
    tokens = await visitor.enter()
    clock.advance(days=59)
    tokens = granted(await visitor.refresh(tokens.refresh_token))
    clock.advance(days=59)
    tokens = granted(await visitor.refresh(tokens.refresh_token))
    clock.advance(days=60)
    assert refused(await visitor.refresh(tokens.refresh_token)) == (401, "refresh_token_invalid")


async def test_tokens_nobody_issued(visitor: Visitor) -> None:
    """Neither a made-up token nor an access token refreshes anything."""
    tokens = await visitor.enter()
    for wrong in (
        "",
        "x",
        "\x00",
        tokens.access_token,
        tokens.refresh_token + "x",
        tokens.refresh_token[:-1],
        "é" * 999,
    ):
        assert refused(await visitor.refresh(wrong)) == (401, "refresh_token_invalid")


async def test_ended_logins_are_forgotten(
    visitor: Visitor, server: AuthServer, clock: StandingClock, pool: Pool
) -> None:
    """What has expired is deleted, with its used tokens; what is in use stays usable."""
    await visitor.enter()
    live = await visitor.enter()
    clock.advance(days=59)
    live = granted(await visitor.refresh(live.refresh_token))
    clock.advance(days=3)
    await server.logins.forget_ended()
    assert await pool.fetchval("SELECT count(*) FROM refresh_families") == 1
    assert await pool.fetchval("SELECT count(*) FROM refresh_tokens") == 1
    granted(await visitor.refresh(live.refresh_token))


async def test_reuse_is_seen_as_long_as_the_login_lives(
    visitor: Visitor, server: AuthServer, clock: StandingClock
) -> None:
    """Forgetting does not delete used tokens that a thief could still hold."""
    first = await visitor.enter()
    granted(await visitor.refresh(first.refresh_token))
    clock.advance(days=50)
    await server.logins.forget_ended()
    assert refused(await visitor.refresh(first.refresh_token)) == (401, "refresh_token_reused")
