"""The auth server's public keys, for a gateway that has to be told them."""

from __future__ import annotations

from pathlib import Path

import httpx
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization, RSAKey
from msgspec import Struct

from tiebreak.errors import KeysUnavailable
from tiebreak.tokens import ALGORITHM

FETCH_SECONDS = 10


class PublicKey(Struct, frozen=True):
    """A key that signs access tokens: its `kid` and its public half as PEM (SubjectPublicKeyInfo)."""

    kid: str
    pem: str


def read_public_keys(place: str) -> list[PublicKey]:
    """The keys of a JWKS (RFC 7517) at a URL or in a file. Raises KeysUnavailable."""
    try:
        content = fetch(place) if place.startswith(("http://", "https://")) else Path(place).read_bytes()
        keys = KeySet.import_key_set(msgspec.json.decode(content, type=KeySetSerialization)).keys
    except (OSError, httpx.HTTPError, msgspec.MsgspecError, JoseError, ValueError, KeyError) as error:
        raise KeysUnavailable(f"No public keys can be read from {place}: {error}") from error
    found = {key.kid: key for key in map(public_key, keys) if key is not None}
    if not found:
        raise KeysUnavailable(f"There is no {ALGORITHM} key in {place}.")
    return list(found.values())


def public_key(key: object) -> PublicKey | None:
    """Nothing unless our tokens can be signed with it: an RSA key with a `kid`, for nothing else."""
    if not isinstance(key, RSAKey) or not key.kid or key.get("alg", ALGORITHM) != ALGORITHM:
        return None
    return PublicKey(key.kid, key.as_pem(private=False).decode())


def fetch(url: str) -> bytes:
    return httpx.get(url, timeout=FETCH_SECONDS).raise_for_status().content
