"""Whatever is sent: a 4xx with a problem document, never a 5xx."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.integration.auth_server.visitor import EMAIL, PASSWORD, Visitor, refused

BODIES: dict[str, dict[str, object]] = {
    "/auth/guest": {"name": "Ada"},
    "/auth/register": {"email": EMAIL, "password": PASSWORD, "name": "Ada"},
    "/auth/login": {"email": EMAIL, "password": PASSWORD},
    "/auth/refresh": {"refresh_token": "x"},
    "/auth/logout": {"refresh_token": "x"},
}

NO_JSON = {
    "nothing but a brace": b"{",
    "blanks": b"  ",
    "a form": b"name=Ada",
    "not UTF-8": b'{"name": "\xff"}',
    "a byte-order mark": b'\xef\xbb\xbf{"name": "Ada"}',
    "a comment": b'{"name": "Ada" /* */}',
    "two documents": b'{"name": "Ada"}{"name": "Ada"}',
    "a raw control character": b'{"name": "A\x00da"}',
    "raw bytes of a surrogate": b'{"name": "\xed\xa0\x80"}',
    "NaN": b'{"name": NaN}',
}

NO_OBJECT = {
    "a list": b"[]",
    "a string": b'"Ada"',
    "a number": b"1",
    "a boolean": b"true",
    "a huge number": b"1e999",
    "deep nesting": b"[" * 60_000,
    "deep nesting in a field": b'{"name": ' + b"[" * 60_000,
}

# As JSON text, because a lone surrogate has no other form.
WRONG_VALUES = {
    "a number": "1",
    "a float": "1.5",
    "a huge integer": "9" * 5000,
    "a boolean": "true",
    "a list": '["a@b"]',
    "an object": "{}",
    "a lone surrogate": '"a@b \\ud800 password"',
    "a lone low surrogate": '"\\udc00 a@b password"',
    "NUL": '"a@b\\u0000password"',
    "a line of 60,000": '"' + "a@b " * 15_000 + '"',
    "60,000 combining marks": '"a' + "\\u0315\\u0316" * 5_000 + '"',
}


def wrong_bodies(path: str) -> Iterator[tuple[str, bytes]]:
    """Every way to be wrong, field by field."""
    yield from NO_JSON.items()
    yield from NO_OBJECT.items()
    good = BODIES[path]
    yield "an unknown field", json.dumps(good | {"role": "account"}).encode()
    for field in good:
        if path != "/auth/logout":
            yield f"{field}: missing", json.dumps({other: good[other] for other in good if other != field}).encode()
            yield f"{field}: null", json.dumps(good | {field: None}).encode()
        for kind, value in WRONG_VALUES.items():
            yield f"{field}: {kind}", json.dumps(good | {field: "@@"}).replace('"@@"', value).encode()


async def test_every_wrong_body_is_told_apart_from_a_failure(visitor: Visitor) -> None:
    """Each route answers each wrong body with a 4xx problem document that says what is wrong."""
    tried = 0
    for path in BODIES:
        for kind, body in wrong_bodies(path):
            response = await visitor.http.post(path, content=body)
            status, code = refused(response)
            assert (status, code) in {
                (400, "json_malformed"),
                (400, "request_invalid"),
                (401, "refresh_token_invalid"),  # a refresh token may be any string; it is just not ours
            }, f"{path}: {kind}: {response.text}"
            assert "\x00" not in response.text
            tried += 1
    assert tried > 150


@pytest.mark.parametrize("path", [path for path in BODIES if path != "/auth/logout"])
async def test_no_body_at_all(visitor: Visitor, path: str) -> None:
    """An empty body is asked for."""
    response = await visitor.post(path)
    assert refused(response) == (400, "request_invalid")
    assert response.json()["detail"] == "A JSON body is needed."


@pytest.mark.parametrize("path", list(BODIES))
async def test_a_body_over_64_kb(visitor: Visitor, path: str) -> None:
    """Too much is refused before it is read as JSON."""
    response = await visitor.http.post(path, content=json.dumps(BODIES[path]).encode() + b" " * 65_536)
    assert refused(response) == (413, "body_too_large")


async def test_the_reason_is_told(visitor: Visitor) -> None:
    """The detail of a 400 is a sentence for whoever typed it."""
    response = await visitor.try_register(password="short")
    assert refused(response) == (400, "request_invalid")
    assert response.json()["detail"].startswith("The password is shorter than 8 characters")


async def test_odd_but_good_input(visitor: Visitor) -> None:
    """Quotes, SQL, markup and scripts of the world are text like any other."""
    for name in ("Robert'); DROP TABLE users;--", "<b>Ada</b>", "アダ", "عدا", "👩‍🚀" * 5, "%s {} \\u0000"):
        tokens = await visitor.enter(name)
        assert (await visitor.me(tokens.access_token)).json()["name"] == name


async def test_wrong_address_and_method(visitor: Visitor) -> None:
    """Also these errors are problem documents."""
    assert refused(await visitor.get("/auth/nothing")) == (404, "route_not_found")
    assert refused(await visitor.get("/auth/login")) == (405, "method_not_allowed")
