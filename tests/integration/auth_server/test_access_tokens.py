"""Access tokens: what is in ours, and which others are refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.integration.auth_server.visitor import Visitor, refused
from tests.standing_clock import StandingClock
from tiebreak.auth_server.signing import load_signing_key
from tiebreak.database.pool import Pool
from tiebreak.errors import Refusal
from tiebreak.tokens import Identity

OTHER_KEY = RSAKey.generate_key(2048, private=True)


@pytest.fixture
async def key(pool: Pool, visitor: Visitor) -> RSAKey:
    """The server's signing key; asking for the visitor first lets the server make it."""
    return await load_signing_key(pool)


@pytest.fixture
def claims(clock: StandingClock) -> dict[str, Any]:
    """What a good token says."""
    return {
        "iss": "tiebreak-auth",
        "aud": "tiebreak",
        "sub": str(uuid4()),
        "role": "account",
        "exp": clock.now_ms() // 1000 + 60,
        "jti": "1",
        "sid": str(uuid4()),
    }


def signed(claims: dict[str, Any], key: RSAKey, *, kid: str | None, algorithm: str = "RS256") -> str:
    header = {"alg": algorithm} | ({} if kid is None else {"kid": kid})
    return jwt.encode(header, claims, key, algorithms=[algorithm])


def part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


async def test_what_a_token_says(visitor: Visitor, key: RSAKey, clock: StandingClock) -> None:
    """Header and claims are those of the interface, and no others."""
    tokens = await visitor.enter()
    token = jwt.decode(tokens.access_token, key, algorithms=["RS256"])
    assert token.header == {"typ": "JWT", "alg": "RS256", "kid": key.kid}
    assert token.claims.pop("jti") != ""
    assert UUID(token.claims.pop("sid"))
    assert token.claims == {
        "iss": "tiebreak-auth",
        "aud": "tiebreak",
        "sub": str(tokens.user_id),
        "role": "guest",
        "nbf": clock.now_ms() // 1000 - 60,
        "exp": clock.now_ms() // 1000 + 15 * 60,
    }


async def test_a_token_expires_on_the_second(visitor: Visitor, clock: StandingClock) -> None:
    """Good until `expires_in` seconds have passed, then refused as expired."""
    tokens = await visitor.enter()
    clock.advance(seconds=tokens.expires_in - 1)
    assert isinstance(await visitor.verify(tokens.access_token, clock), Identity)
    clock.advance(seconds=1)
    assert await visitor.verify(tokens.access_token, clock) is Refusal.TOKEN_EXPIRED
    assert refused(await visitor.me(tokens.access_token)) == (401, "token_expired")


async def test_our_hand_made_token_is_good(
    visitor: Visitor, key: RSAKey, claims: dict[str, Any], clock: StandingClock
) -> None:
    """The token that the following tests spoil is accepted as long as it is not spoilt."""
    identity = await visitor.verify(signed(claims, key, kid=key.kid), clock)
    assert isinstance(identity, Identity)
    assert identity.user_id == UUID(claims["sub"])


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "other"},
        {"aud": ["tiebreak", "other"]},
        {"iss": "other"},
        {"role": "admin"},
        {"sub": "ada"},
        {"exp": "never"},
        {"exp": 1e300},
        {"sid": None},
        *({claim: ...} for claim in ("iss", "aud", "sub", "role", "exp", "jti", "sid")),
    ],
    ids=lambda change: ",".join(f"{claim}={value}" for claim, value in change.items()),
)
async def test_wrong_or_missing_claims(
    visitor: Visitor, key: RSAKey, claims: dict[str, Any], clock: StandingClock, change: dict[str, Any]
) -> None:
    """Our own signature under anything but the claims we issue is not enough; `...` leaves the claim out."""
    spoilt = {claim: value for claim, value in (claims | change).items() if value is not ...}
    token = signed(spoilt, key, kid=key.kid)
    assert await visitor.verify(token, clock) is Refusal.TOKEN_INVALID
    assert refused(await visitor.me(token)) == (401, "token_invalid")


async def test_forged_tokens(visitor: Visitor, key: RSAKey, claims: dict[str, Any], clock: StandingClock) -> None:
    """No other key, no other algorithm, no change after signing."""
    good = signed(claims, key, kid=key.kid)
    key_for_all = RSAKey.import_key(key.as_pem(private=True))  # the library keeps a JWK to its algorithm
    header, body, signature = good.split(".")
    unsigned = f"{part({'alg': 'none', 'kid': key.kid})}.{body}."
    # The public key as an HMAC secret: works against libraries that let the token choose the algorithm.
    as_secret = f"{part({'alg': 'HS256', 'kid': key.kid, 'typ': 'JWT'})}.{body}"
    forged = {
        "another key under our kid": signed(claims, OTHER_KEY, kid=key.kid),
        "another key under its own kid": signed(claims, OTHER_KEY, kid="other"),
        "another key without kid": signed(claims, OTHER_KEY, kid=None),
        "our key with another RSA algorithm": signed(claims, key_for_all, kid=key.kid, algorithm="RS512"),
        "alg none": unsigned,
        "alg none, our signature": unsigned + signature,
        "claims of another": f"{header}.{part(claims | {'role': 'guest'})}.{signature}",
        "no signature": f"{header}.{body}.",
        "two parts": f"{header}.{body}",
        "nothing": "..",
        "not base64": "ä.ö.ü",
        "very long": good + "A" * 60_000,
    }
    for name, public in {
        "PEM": key.as_pem(private=False),
        "JWK": json.dumps(key.as_dict(private=False)).encode(),
    }.items():
        mac = hmac.new(public, as_secret.encode(), hashlib.sha256).digest()
        forged[f"HS256 with the public {name}"] = f"{as_secret}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    accepted = {
        name for name, token in forged.items() if await visitor.verify(token, clock) is not Refusal.TOKEN_INVALID
    }
    assert accepted == set()
    for token in forged.values():
        # Latin-1 is what a header can carry at most.
        headers = httpx.Headers([(b"Authorization", f"Bearer {token}".encode("latin-1"))])
        assert refused(await visitor.http.get("/auth/me", headers=headers)) == (401, "token_invalid")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token x", "bearer"])
async def test_other_ways_to_say_who_one_is(visitor: Visitor, header: str) -> None:
    """Only a bearer token counts; anything else is none."""
    response = await visitor.http.get("/auth/me", headers={"Authorization": header})
    assert refused(response) == (401, "token_missing")
