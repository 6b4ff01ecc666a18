"""Schemathesis loads this: who calls, and ids that exist in place of made-up ones."""

from __future__ import annotations

import os
import re
import zlib
from typing import Any

import schemathesis

from tests.fuzz.http_stage import Stage
from tests.pictures import picture

IDENTITY = os.environ["FUZZ_IDENTITY"]
STAGE = Stage(os.environ["FUZZ_BASE_URL"])
KNOWN = STAGE.prepare()
# Less than an access token's life.
TOKEN_SECONDS = 300
MADE_UP = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9]{6}")


class LogIn:
    """The bearer of every case; the check `ignored_auth` takes it away again."""

    def get(self, _case: Any, _context: Any) -> str:
        return STAGE.token(IDENTITY)

    def set(self, case: Any, data: str, _: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


class LastLogIn(LogIn):
    """A log-out ends its log-in, so it has one of its own."""

    def get(self, _case: Any, _context: Any) -> str:
        return STAGE.throwaway_token()


if IDENTITY != "nobody":
    schemathesis.auth(refresh_interval=TOKEN_SECONDS, retry_on=[]).skip_for(path="/auth/logout")(LogIn)
    schemathesis.auth(refresh_interval=None).apply_to(path="/auth/logout")(LastLogIn)


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    return existing(context, path_parameters)


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    if context.operation.path == "/images" and isinstance(body, bytes) and len(body) % 2:
        return picture()
    return existing(context, body) if isinstance(body, dict) else body


def existing(context: Any, values: dict[str, Any] | None) -> dict[str, Any] | None:
    """Half of the ids become ones that exist. What is no id stays: it is there to be refused."""
    # What is ended or removed is gone for every later case.
    if not values or context.operation.method.upper() == "DELETE" or context.operation.path.endswith("/finish"):
        return values
    return {name: known(name, value) for name, value in values.items()}


def known(name: str, value: Any) -> Any:
    choices = KNOWN.get(name)
    if not choices or not isinstance(value, str) or not MADE_UP.fullmatch(value):
        return value
    draw = zlib.crc32(value.encode())
    return choices[draw // 2 % len(choices)] if draw % 2 else value
