"""Access tokens: verified once, remembered as long as they are good, and not a moment longer."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.bad_tokens import bad_tokens
from tests.standing_clock import StandingClock
from tiebreak.errors import KeysUnavailable, Refusal
from tiebreak.tokens import (
    KEY_REFRESH_SECONDS,
    KEY_RELOAD_SECONDS,
    MAX_SPARED,
    MAX_TOKEN_LENGTH,
    Identity,
    Remembered,
    Verifier,
)

LIFE_SECONDS = 900


def new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"alg": "RS256", "use": "sig"}, private=True, auto_kid=True)


KEY, NEWER_KEY, FOREIGN_KEY = new_key(), new_key(), new_key()


class Issuer:
    """An auth server: signs tokens and publishes keys, when it may answer."""

    def __init__(self, clock: StandingClock) -> None:
        self.published: Any = key_set(KEY)
        self.loads = 0
        self.is_away = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self._clock = clock

    async def load_keys(self) -> Any:
        self.loads += 1
        await self.may_answer.wait()
        if self.is_away:
            raise KeysUnavailable("away")
        return self.published

    def token(self, key: RSAKey = KEY, *, login_id: UUID | None = None, life_seconds: int = LIFE_SECONDS) -> str:
        claims = {
            "iss": "tiebreak-auth",
            "aud": "tiebreak",
            "sub": str(uuid4()),
            "role": "guest",
            "exp": self._clock.now_ms() // 1000 + life_seconds,
            "jti": str(uuid4()),
            "sid": str(login_id or uuid4()),
        }
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key, algorithms=["RS256"])


def key_set(*keys: RSAKey) -> Any:
    return KeySet([*keys]).as_dict(private=False) if keys else {"keys": []}


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def issuer(clock: StandingClock) -> Issuer:
    return Issuer(clock)


@pytest.fixture
def verifier(issuer: Issuer, clock: StandingClock) -> Verifier:
    return Verifier(issuer.load_keys, clock)


@asynccontextmanager
async def refreshing(verifier: Verifier) -> AsyncIterator[None]:
    """The loop that loads the keys again and again."""
    task = asyncio.create_task(verifier.run())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()


async def until(found: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not found():
            await asyncio.sleep(0)


async def minute(clock: StandingClock, issuer: Issuer) -> None:
    """Let the time pass until the keys are loaded again, and have been looked at."""
    loads = issuer.loads
    clock.advance(seconds=int(KEY_REFRESH_SECONDS))
    await until(lambda: issuer.loads > loads)
    for _ in range(10):
        await asyncio.sleep(0)


# --- what is remembered ------------------------------------------------------------------------------------------


async def test_a_token_is_verified_once(verifier: Verifier, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """From then on nobody looks at its signature: who it is, is known at once, from text or bytes."""
    token = issuer.token()
    assert verifier.remembered(token) is None
    identity = await verifier.verify(token)
    assert isinstance(identity, Identity)

    def must_not_be_called(*_: Any, **__: Any) -> None:
        raise AssertionError("the signature was checked again")

    monkeypatch.setattr(jwt, "decode", must_not_be_called)
    assert verifier.remembered(token) is identity
    assert verifier.remembered(token.encode()) is identity
    assert await verifier.verify(token) is identity


async def test_a_remembered_token_expires_on_the_second(
    verifier: Verifier, issuer: Issuer, clock: StandingClock
) -> None:
    """To have been good before makes no token good for longer, and what has expired is let go."""
    token = issuer.token()
    await verifier.verify(token)
    clock.advance(seconds=LIFE_SECONDS - 1)
    assert verifier.remembered(token)
    clock.advance(seconds=1)
    assert verifier.remembered(token) is None
    assert verifier.count_remembered() == 0
    assert await verifier.verify(token) is Refusal.TOKEN_EXPIRED


async def test_no_more_than_the_limit_are_remembered(issuer: Issuer, clock: StandingClock) -> None:
    """The oldest makes room, and is good all the same when it is shown again."""
    verifier = Verifier(issuer.load_keys, clock, max_remembered=3)
    tokens = [issuer.token() for _ in range(4)]
    for token in tokens:
        await verifier.verify(token)
    assert [verifier.remembered(token) is not None for token in tokens] == [False, True, True, True]
    assert isinstance(await verifier.verify(tokens[0]), Identity)
    assert verifier.count_remembered() == 3


async def test_tokens_shown_once_do_not_drive_out_those_in_use(issuer: Issuer, clock: StandingClock) -> None:
    """Whoever makes himself thousands of guests slows himself down, and nobody else."""
    verifier = Verifier(issuer.load_keys, clock, max_remembered=10)
    in_use = [issuer.token() for _ in range(5)]
    for token in in_use:
        await verifier.verify(token)
    for _ in range(40):
        assert all(verifier.remembered(token) for token in in_use)
        await verifier.verify(issuer.token())
    assert verifier.count_remembered() == 10


async def test_room_is_made_where_all_are_in_use(issuer: Issuer, clock: StandingClock) -> None:
    """One goes, which need not be the oldest: only a few are looked at, however many there are."""
    verifier = Verifier(issuer.load_keys, clock, max_remembered=20)
    tokens = [issuer.token() for _ in range(20)]
    for token in tokens:
        await verifier.verify(token)
        assert verifier.remembered(token)
    await verifier.verify(newest := issuer.token())
    gone = [at for at, token in enumerate([*tokens, newest]) if not verifier.remembered(token)]
    assert gone == [MAX_SPARED]


async def test_what_was_recalled(issuer: Issuer, clock: StandingClock) -> None:
    """Who keeps it learns of whatever ends it: expiry, revocation, a key withdrawn, no room, remembering anew."""
    verifier = Verifier(issuer.load_keys, clock, max_remembered=3)
    issuer.published = key_set(KEY, NEWER_KEY)
    kept: dict[str, Remembered] = {}
    login_id = uuid4()

    async def keep(name: str, token: str) -> str:
        await verifier.verify(token)
        known = verifier.recall(token)
        assert known
        kept[name] = known
        return token

    def good() -> set[str]:
        return {name for name, known in kept.items() if verifier.still_good(known, clock.now_ms())}

    async with refreshing(verifier):
        crowded_out = await keep("no room", issuer.token())
        await keep("revoked", issuer.token(NEWER_KEY, login_id=login_id))
        await keep("withdrawn", issuer.token(KEY))
        assert good() == {"no room", "revoked", "withdrawn"}
        for known in kept.values():
            known.was_used = False
        await keep("expired", issuer.token(NEWER_KEY, life_seconds=1))
        assert good() == {"expired", "revoked", "withdrawn"}
        clock.advance(seconds=1)
        verifier.revoked |= {login_id}
        assert good() == {"withdrawn"}
        assert await verifier.verify(crowded_out) == kept["no room"].identity
        assert good() == {"withdrawn"}
        issuer.published = key_set(NEWER_KEY)
        await minute(clock, issuer)
        assert good() == set()


# --- what is not -------------------------------------------------------------------------------------------------


async def test_bad_tokens_are_not_remembered(verifier: Verifier, issuer: Issuer) -> None:
    """Not after the good one they resemble was remembered, and not when they are shown twice."""
    good = issuer.token()
    await verifier.verify(good)
    for name, token in bad_tokens(good).items():
        for _ in range(2):
            assert isinstance(await verifier.verify(token), Refusal), name
            assert verifier.remembered(token or "") is None, name
    assert verifier.count_remembered() == 1


async def test_a_token_has_one_spelling(verifier: Verifier, issuer: Issuer) -> None:
    """Padding, blanks, other alphabets, unused bits: else one token would fill the memory in many spellings."""
    good = issuer.token()
    await verifier.verify(good)
    signature = good.rpartition(".")[2]
    alphabet = base64.urlsafe_b64encode(bytes(range(256))).decode().rstrip("=")
    same_bytes = [
        good[:-1] + last
        for last in set(alphabet) - {good[-1]}
        if base64.urlsafe_b64decode(signature[:-1] + last + "==") == base64.urlsafe_b64decode(signature + "==")
    ]
    assert len(same_bytes) == 15
    spellings = [good + "=", good + "==", good + "\n", f" {good}", good + "ä", good + "\ud800", good + "?", *same_bytes]
    for spelling in spellings:
        assert await verifier.verify(spelling) is Refusal.TOKEN_INVALID, spelling
        assert verifier.remembered(spelling) is None
    assert verifier.count_remembered() == 1


def test_whatever_is_changed_in_a_token_it_is_refused() -> None:
    """Any piece replaced by any text: refused, and not remembered."""
    clock = StandingClock()
    good = Issuer(clock).token()

    @given(st.integers(0, len(good)), st.integers(0, 8), st.text(max_size=12) | st.sampled_from([".", "..", "A", "-_"]))
    @settings(max_examples=400, deadline=None)
    def try_change(start: int, length: int, text: str) -> None:
        changed = good[:start] + text + good[start + length :]
        if changed == good:
            return

        async def shown() -> tuple[object, int]:
            verifier = Verifier(Issuer(clock).load_keys, clock)
            return await verifier.verify(changed), verifier.count_remembered()

        outcome, remembered = asyncio.run(shown())
        assert isinstance(outcome, Refusal)
        assert remembered == 0

    try_change()


async def test_what_is_too_long_is_not_looked_at(verifier: Verifier) -> None:
    """Not even for its digest."""
    assert verifier.remembered(b"a" * (MAX_TOKEN_LENGTH + 1)) is None
    assert await verifier.verify("a" * (MAX_TOKEN_LENGTH + 1)) is Refusal.TOKEN_INVALID


async def test_a_token_names_its_key(verifier: Verifier, issuer: Issuer) -> None:
    """One that does not is refused, even if there is only one key it could mean."""
    good = jwt.decode(issuer.token(), KEY, algorithms=["RS256"])
    nameless = jwt.encode({"alg": "RS256"}, good.claims, KEY, algorithms=["RS256"])
    assert await verifier.verify(nameless) is Refusal.TOKEN_INVALID


# --- revoked log-ins ---------------------------------------------------------------------------------------------


async def test_a_revoked_login(verifier: Verifier, issuer: Issuer) -> None:
    """All its tokens are refused, seen before or not; other log-ins are not concerned."""
    login_id = uuid4()
    seen, unseen, other = issuer.token(login_id=login_id), issuer.token(login_id=login_id), issuer.token()
    await verifier.verify(seen)
    await verifier.verify(other)
    verifier.revoked |= {login_id}
    for token in (seen, unseen):
        assert verifier.remembered(token) is None
        assert await verifier.verify(token) is Refusal.TOKEN_INVALID
    assert verifier.remembered(other)


async def test_a_login_revoked_while_keys_are_loaded(verifier: Verifier, issuer: Issuer) -> None:
    """What is known when the verdict falls counts, not what was known when it was asked for."""
    login_id = uuid4()
    issuer.may_answer.clear()
    verifying = asyncio.create_task(verifier.verify(issuer.token(login_id=login_id)))
    await until(lambda: issuer.loads)
    verifier.revoked |= {login_id}
    issuer.may_answer.set()
    assert await verifying is Refusal.TOKEN_INVALID
    assert verifier.count_remembered() == 0


async def test_how_long_tokens_live(verifier: Verifier, issuer: Issuer) -> None:
    """The longest life a good token had left is kept; expired and forged ones say nothing."""
    for token in (issuer.token(life_seconds=0), issuer.token(FOREIGN_KEY, life_seconds=9_000)):
        await verifier.verify(token)
    assert verifier.longest_life_seconds == 0
    for life_seconds in (60, 3_600, 900):
        await verifier.verify(issuer.token(life_seconds=life_seconds))
    assert verifier.longest_life_seconds == 3_600


# --- keys --------------------------------------------------------------------------------------------------------


async def test_a_withdrawn_key(verifier: Verifier, issuer: Issuer, clock: StandingClock) -> None:
    """Its tokens are good until the keys are loaded again, and not any more then; those of other keys stay."""
    issuer.published = key_set(KEY, NEWER_KEY)
    old, new = issuer.token(KEY), issuer.token(NEWER_KEY)
    async with refreshing(verifier):
        for token in (old, new):
            await verifier.verify(token)
        issuer.published = key_set(NEWER_KEY)
        clock.advance(seconds=int(KEY_REFRESH_SECONDS) - 1)
        assert verifier.remembered(old)
        clock.advance(seconds=1)
        await until(lambda: verifier.remembered(old) is None)
        assert verifier.remembered(new)
    assert await verifier.verify(old) is Refusal.TOKEN_INVALID


async def test_all_keys_withdrawn(verifier: Verifier, issuer: Issuer, clock: StandingClock) -> None:
    """Then no token is good, the server says that it is not ready, and a key that comes is taken."""
    token = issuer.token()
    async with refreshing(verifier):
        await verifier.verify(token)
        issuer.published = key_set()
        await minute(clock, issuer)
        assert verifier.remembered(token) is None
    assert await verifier.verify(token) is Refusal.TOKEN_INVALID
    with pytest.raises(KeysUnavailable):
        await verifier.ready()
    issuer.published = key_set(NEWER_KEY)
    await verifier.ready()
    assert isinstance(await verifier.verify(issuer.token(NEWER_KEY)), Identity)


async def test_keys_are_loaded_once_for_all_who_ask(verifier: Verifier, issuer: Issuer, clock: StandingClock) -> None:
    """At the start, and when a key is new; one that gives up waiting takes nothing from the others."""
    for key in (KEY, NEWER_KEY):
        issuer.published = key_set(KEY, NEWER_KEY) if key is NEWER_KEY else key_set(KEY)
        issuer.may_answer.clear()
        loads = issuer.loads
        clock.advance(seconds=int(KEY_RELOAD_SECONDS))
        asking = [asyncio.create_task(verifier.verify(issuer.token(key))) for _ in range(20)]
        await until(lambda loads=loads: issuer.loads > loads)
        asking.pop(0).cancel()
        issuer.may_answer.set()
        assert all(isinstance(identity, Identity) for identity in await asyncio.gather(*asking))
        assert issuer.loads == loads + 1


async def test_unknown_keys_are_asked_for_now_and_then(
    verifier: Verifier, issuer: Issuer, clock: StandingClock
) -> None:
    """Forged tokens with made-up keys do not become requests to the auth server."""
    await verifier.verify(issuer.token())
    for _ in range(3):
        assert await verifier.verify(issuer.token(FOREIGN_KEY)) is Refusal.TOKEN_INVALID
    assert issuer.loads == 1
    clock.advance(seconds=int(KEY_RELOAD_SECONDS))
    for _ in range(3):
        assert await verifier.verify(issuer.token(FOREIGN_KEY)) is Refusal.TOKEN_INVALID
    assert issuer.loads == 2


@pytest.mark.parametrize("outage", ["away", "a page", "a list", "broken keys", "keys of no kind"])
async def test_the_auth_server_is_away(verifier: Verifier, issuer: Issuer, clock: StandingClock, outage: str) -> None:
    """Without keys nothing can be said; with keys at hand all goes on, and new ones are taken when they come."""
    good = issuer.published
    issuer.is_away = outage == "away"
    issuer.published = {
        "away": good,
        "a page": {"detail": "not found"},
        "a list": [],
        "broken keys": {"keys": [{"kty": "RSA", "n": "?", "e": 1}]},
        "keys of no kind": {"keys": [{"kty": "?"}, "x"]},
    }[outage]
    bad = issuer.published
    with pytest.raises(KeysUnavailable):
        await verifier.verify(issuer.token())
    with pytest.raises(KeysUnavailable):
        await verifier.ready()
    issuer.is_away, issuer.published = False, good
    token = issuer.token()
    async with refreshing(verifier):
        await verifier.verify(token)
        issuer.is_away, issuer.published = outage == "away", bad
        await minute(clock, issuer)
        await verifier.ready()
        assert verifier.remembered(token)
        assert isinstance(await verifier.verify(issuer.token()), Identity)
        clock.advance(seconds=int(KEY_RELOAD_SECONDS))
        loads = issuer.loads
        for _ in range(3):
            assert await verifier.verify(issuer.token(FOREIGN_KEY)) is Refusal.TOKEN_INVALID
        assert issuer.loads == loads + 1
        issuer.is_away, issuer.published = False, key_set(KEY, NEWER_KEY)
        await minute(clock, issuer)
    assert isinstance(await verifier.verify(issuer.token(NEWER_KEY)), Identity)
