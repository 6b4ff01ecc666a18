"""Guests, new accounts, log-ins."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from argon2 import PasswordHasher

from tests.integration.auth_server.visitor import EMAIL, PASSWORD, Visitor, granted, refused
from tests.standing_clock import StandingClock
from tiebreak.database.pool import Pool
from tiebreak.tokens import Identity


async def test_a_guest_enters(visitor: Visitor, clock: StandingClock) -> None:
    """A name is enough to play; the token says who and that it is a guest."""
    tokens = await visitor.enter(" Grace  Hopper ")
    identity = await visitor.verify(tokens.access_token, clock)
    assert isinstance(identity, Identity)
    assert (identity.user_id, identity.role) == (tokens.user_id, "guest")
    assert (tokens.token_type, tokens.expires_in) == ("Bearer", 900)
    me = await visitor.me(tokens.access_token)
    assert me.json() == {"user_id": str(tokens.user_id), "name": "Grace Hopper", "role": "guest"}


async def test_guests_of_one_name_are_different_users(visitor: Visitor) -> None:
    """Nothing ties two guests together."""
    assert (await visitor.enter()).user_id != (await visitor.enter()).user_id


async def test_an_account_is_registered_and_logged_in(visitor: Visitor, clock: StandingClock) -> None:
    """Registering logs in at once, and later log-ins are the same user."""
    registered = await visitor.register()
    identity = await visitor.verify(registered.access_token, clock)
    assert isinstance(identity, Identity)
    assert identity.role == "account"
    again = granted(await visitor.log_in())
    assert again.user_id == registered.user_id == identity.user_id
    me = await visitor.me(again.access_token)
    assert me.json() == {"user_id": str(registered.user_id), "name": "Ada", "role": "account", "email": EMAIL}


async def test_each_login_is_one_of_its_own(visitor: Visitor, clock: StandingClock) -> None:
    """Two log-ins of an account have different ids and refresh tokens."""
    first, second = await visitor.register(), granted(await visitor.log_in())
    identities = [await visitor.verify(tokens.access_token, clock) for tokens in (first, second)]
    assert len({identity.login_id for identity in identities if isinstance(identity, Identity)}) == 2
    assert first.refresh_token != second.refresh_token


async def test_tokens_are_not_kept_on_the_way(visitor: Visitor) -> None:
    """A response with tokens may not be stored by a cache."""
    response = await visitor.post("/auth/guest", {"name": "Ada"})
    assert response.headers["cache-control"] == "no-store"


async def test_email_is_one_in_any_case(visitor: Visitor) -> None:
    """An account is found, and its e-mail taken, however the address is typed."""
    registered = await visitor.register(email="  Ada@Example.ORG ")
    assert granted(await visitor.log_in(email="aDA@example.org")).user_id == registered.user_id
    assert refused(await visitor.try_register(email="ADA@EXAMPLE.ORG")) == (409, "email_taken")


async def test_an_email_registered_twice_at_once_is_taken_once(visitor: Visitor, pool: Pool) -> None:
    """Of registrations that race for an e-mail one wins, and the others leave nothing behind."""
    responses = await asyncio.gather(*(visitor.try_register(name=f"Ada {number}") for number in range(4)))
    assert sorted(response.status_code for response in responses) == [200, 409, 409, 409]
    assert await pool.fetchval("SELECT count(*) FROM users") == 1
    assert await pool.fetchval("SELECT count(*) FROM refresh_families") == 1


async def test_wrong_password_and_unknown_email_look_the_same(visitor: Visitor) -> None:
    """A refused log-in does not tell whether there is such an account."""
    await visitor.register()
    wrong = await visitor.log_in(password="correct horse batterz")
    unknown = await visitor.log_in(email="nobody@example.org")
    assert refused(wrong) == (401, "credentials_wrong")
    assert wrong.content == unknown.content
    assert wrong.headers == unknown.headers


async def test_wrong_password_and_unknown_email_cost_the_same(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either way one hash of the same parameters is checked, so the time of a refusal tells nothing."""
    costs: list[str] = []
    verify = PasswordHasher.verify

    def noting(self: PasswordHasher, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
        costs.append(str(hash).rpartition("$")[0].rpartition("$")[0])
        return verify(self, hash, password)

    await visitor.register()
    monkeypatch.setattr(PasswordHasher, "verify", noting)
    await visitor.log_in(password="correct horse batterz")
    await visitor.log_in(email="nobody@example.org")
    assert costs == ["$argon2id$v=19$m=65536,t=3,p=4"] * 2


async def test_a_short_password_is_just_wrong(visitor: Visitor) -> None:
    """At log-in no rule about passwords is given away, or needed."""
    assert refused(await visitor.log_in(password="x")) == (401, "credentials_wrong")


async def test_password_typed_with_combining_marks(visitor: Visitor) -> None:
    """A password is the same from a keyboard that composes letters and from one that does not."""
    registered = await visitor.register(password="cafe\u0301 au lait")
    assert granted(await visitor.log_in(password="caf\u00e9 au lait")).user_id == registered.user_id


async def test_passwords_and_refresh_tokens_are_stored_as_digests(visitor: Visitor, pool: Pool) -> None:
    """What lies in the database lets nobody in."""
    tokens = await visitor.register()
    stored = str(await pool.fetch("SELECT * FROM users")) + str(await pool.fetch("SELECT * FROM refresh_tokens"))
    assert "$argon2id$" in stored
    assert PASSWORD not in stored
    assert tokens.refresh_token not in stored


async def test_an_old_hash_is_renewed_at_login(visitor: Visitor, pool: Pool) -> None:
    """A password hashed with yesterday's parameters is hashed anew when it is next typed, and stays right."""
    await visitor.register()
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    await pool.execute("UPDATE users SET password_hash = $1", weak)
    assert refused(await visitor.log_in(password="something else")) == (401, "credentials_wrong")
    assert await pool.fetchval("SELECT password_hash FROM users") == weak
    granted(await visitor.log_in())
    renewed = await pool.fetchval("SELECT password_hash FROM users")
    assert renewed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    granted(await visitor.log_in())
    assert await pool.fetchval("SELECT password_hash FROM users") == renewed


async def test_a_deleted_user_is_unknown(visitor: Visitor, pool: Pool) -> None:
    """A token outlives its user, who is then told so."""
    tokens = await visitor.enter()
    await pool.execute("DELETE FROM users")
    assert refused(await visitor.me(tokens.access_token)) == (401, "user_unknown")


async def test_me_needs_a_token(visitor: Visitor) -> None:
    """Without a bearer token nobody is anybody; the response says which scheme to use."""
    response = await visitor.me(None)
    assert refused(response) == (401, "token_missing")
    assert response.headers["www-authenticate"] == "Bearer"
