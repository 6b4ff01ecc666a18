"""The auth server's public keys, read for Kong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from joserfc.jwk import OctKey, RSAKey

from tiebreak.errors import KeysUnavailable
from tiebreak.gateway.public_keys import read_public_keys

KEY = RSAKey.generate_key(2048, {"alg": "RS256", "use": "sig"}, private=True, auto_kid=True)


def written(tmp_path: Path, *keys: dict) -> str:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": keys}))
    return str(path)


def test_keys_become_pem(tmp_path: Path) -> None:
    """The public half only, by its `kid`, even where a careless file holds both."""
    for private in (False, True):
        [key] = read_public_keys(written(tmp_path, KEY.as_dict(private=private)))
        assert key.kid == KEY.kid
        assert key.pem == KEY.as_pem(private=False).decode()
        assert "PRIVATE" not in key.pem


def test_other_keys_are_left_out(tmp_path: Path) -> None:
    """Our tokens are signed with RS256 and nothing else, and found by `kid`."""
    other = RSAKey.generate_key(2048, {"alg": "RS512", "use": "sig"}, private=True, auto_kid=True)
    nameless = {name: value for name, value in KEY.as_dict(private=False).items() if name != "kid"}
    symmetric = OctKey.generate_key(256, {"kid": "s"}).as_dict(private=True)
    keys = [other.as_dict(private=False), nameless, symmetric, KEY.as_dict(private=False)]
    assert [key.kid for key in read_public_keys(written(tmp_path, *keys))] == [KEY.kid]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"keys": []}', '{"keys": [{"kty": "RSA"}]}', '{"keys": [1]}'])
def test_no_keys(tmp_path: Path, content: str) -> None:
    """Told in a sentence that names the place."""
    path = tmp_path / "jwks.json"
    path.write_text(content)
    with pytest.raises(KeysUnavailable, match=r"jwks\.json"):
        read_public_keys(str(path))


@pytest.mark.parametrize("place", ["/nowhere/jwks.json", "http://127.0.0.1:1/jwks.json"])
def test_nobody_there(place: str) -> None:
    """A file or server that is not there."""
    with pytest.raises(KeysUnavailable, match=place):
        read_public_keys(place)
