"""Access tokens that must not be accepted."""

import base64
import json
import time

from joserfc import jwt
from joserfc.jwk import RSAKey


def bad_tokens(token: str) -> dict[str, str | None]:
    """Tokens that look like the valid `token` but for one thing, by what that is."""
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    forger = RSAKey.generate_key(2048, parameters={"kid": header["kid"]})
    signature = token.rpartition(".")[2]

    def forged(**change):
        return jwt.encode(header, claims | change, forger)

    return {
        "none": None,
        "not a token": "abc",
        "three dots": "a.b.c",
        "no signature": token.rpartition(".")[0] + ".",
        "another key": forged(),
        "expired": forged(exp=int(time.time()) - 1),
        "own claims, old signature": f"{part(header)}.{part(claims | {'role': 'account'})}.{signature}",
        "expired, old signature": f"{part(header)}.{part(claims | {'exp': 1})}.{signature}",
        "alg none": f"{part(header | {'alg': 'none'})}.{part(claims)}.",
        "alg HS256": f"{part(header | {'alg': 'HS256'})}.{part(claims)}.{signature}",
        "wrong audience": forged(aud="others"),
        "very long": "a" * 10_000,
    }
