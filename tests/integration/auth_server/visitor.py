"""Someone who talks to the auth server from an address."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import msgspec
from litestar import Litestar

from tiebreak.clock import Clock
from tiebreak.errors import Refusal
from tiebreak.tokens import Identity, Verifier

EMAIL = "ada@example.org"
PASSWORD = "correct horse battery"


class Granted(msgspec.Struct, forbid_unknown_fields=True):
    """The response that carries tokens, exactly as the interface fixes it."""

    user_id: UUID
    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int


class Visitor:
    """Sends requests straight into the application, as `address`."""

    def __init__(self, app: Litestar, address: str = "192.0.2.1") -> None:
        # Litestar's and httpx's types of an ASGI message do not fit each other.
        transport: Any = httpx.ASGITransport(app=app, client=(address, 50000))  # pyright: ignore[reportArgumentType]
        self.http = httpx.AsyncClient(transport=transport, base_url="http://auth.test")

    async def post(self, path: str, body: object = None, *, token: str | None = None) -> httpx.Response:
        """A POST; without a body if that is None."""
        content = None if body is None else msgspec.json.encode(body)
        return await self.http.post(path, content=content, headers=bearer(token))

    async def get(self, path: str, *, token: str | None = None) -> httpx.Response:
        return await self.http.get(path, headers=bearer(token))

    async def enter(self, name: str = "Ada") -> Granted:
        """Become a guest."""
        return granted(await self.post("/auth/guest", {"name": name}))

    async def register(self, email: str = EMAIL, password: str = PASSWORD, name: str = "Ada") -> Granted:
        return granted(await self.try_register(email, password, name))

    async def try_register(self, email: str = EMAIL, password: str = PASSWORD, name: str = "Ada") -> httpx.Response:
        return await self.post("/auth/register", {"email": email, "password": password, "name": name})

    async def log_in(self, email: str = EMAIL, password: str = PASSWORD) -> httpx.Response:
        return await self.post("/auth/login", {"email": email, "password": password})

    async def refresh(self, refresh_token: str) -> httpx.Response:
        return await self.post("/auth/refresh", {"refresh_token": refresh_token})

    async def me(self, token: str | None) -> httpx.Response:
        return await self.get("/auth/me", token=token)

    async def verify(self, token: str, clock: Clock) -> Identity | Refusal:
        """What another process makes of an access token, knowing only the published keys."""

        async def load_keys() -> Any:
            return (await self.get("/.well-known/jwks.json")).json()

        return await Verifier(load_keys, clock).verify(token)


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def granted(response: httpx.Response) -> Granted:
    assert response.status_code == 200, response.text
    return msgspec.json.decode(response.content, type=Granted)


def refused(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem document."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert problem["status"] == response.status_code
    return response.status_code, problem["code"]
