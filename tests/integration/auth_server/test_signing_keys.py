"""The keys: made once, kept, shared, published without their private half."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from joserfc import jwt

from tests.integration.auth_server.visitor import Visitor
from tests.standing_clock import StandingClock
from tiebreak.auth_server.main import opened
from tiebreak.auth_server.signing import add_signing_key, load_signing_key
from tiebreak.database.pool import Pool
from tiebreak.settings import Settings
from tiebreak.tokens import Identity


async def test_only_public_halves_are_published(visitor: Visitor) -> None:
    """The key set holds what verifying needs, and may be cached for minutes."""
    response = await visitor.get("/.well-known/jwks.json")
    (key,) = response.json()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "alg", "use"}
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
    assert response.headers["cache-control"] == "public, max-age=300"


async def test_the_key_is_kept_over_a_restart(settings: Settings, clock: StandingClock) -> None:
    """A token from before the restart is good after it."""
    async with opened(settings, clock, asyncio.Event()) as server:
        tokens = await Visitor(server.app).enter()
    async with opened(settings, clock, asyncio.Event()) as server:
        visitor = Visitor(server.app)
        assert isinstance(await visitor.verify(tokens.access_token, clock), Identity)
        assert (await visitor.me(tokens.access_token)).status_code == 200


async def test_instances_started_at_once_share_one_key(settings: Settings, clock: StandingClock) -> None:
    """Four first starts at the same time make one key, and each takes the others' tokens."""
    async with AsyncExitStack() as stack:
        starts = [stack.enter_async_context(opened(settings, clock, asyncio.Event())) for _ in range(4)]
        visitors = [Visitor(server.app) for server in await asyncio.gather(*starts)]
        key_sets = [(await visitor.get("/.well-known/jwks.json")).json() for visitor in visitors]
        assert all(key_set == key_sets[0] for key_set in key_sets)
        assert len(key_sets[0]["keys"]) == 1
        tokens = await visitors[0].enter()
        assert (await visitors[3].me(tokens.access_token)).status_code == 200


async def test_the_newest_key_signs_and_all_verify(settings: Settings, clock: StandingClock, pool: Pool) -> None:
    """After a key was added, new tokens carry its kid, and those signed before stay good on every instance."""
    async with opened(settings, clock, asyncio.Event()) as older_server:
        older = Visitor(older_server.app)
        old_tokens = await older.enter()
        async with pool.acquire() as connection:
            key = await add_signing_key(connection)
        async with opened(settings, clock, asyncio.Event()) as newer_server:
            newer = Visitor(newer_server.app)
            new_tokens = await newer.enter()
            assert jwt.decode(new_tokens.access_token, key, algorithms=["RS256"]).header["kid"] == key.kid
            for visitor in (older, newer):
                for tokens in (old_tokens, new_tokens):
                    assert isinstance(await visitor.verify(tokens.access_token, clock), Identity)
                    assert (await visitor.me(tokens.access_token)).status_code == 200


async def test_a_key_is_large_enough_and_named_by_its_thumbprint(pool: Pool) -> None:
    """RSA with 2048 bits; the kid follows from the key."""
    key = await load_signing_key(pool)
    assert key.raw_value.key_size == 2048
    assert key.kid == key.thumbprint()
