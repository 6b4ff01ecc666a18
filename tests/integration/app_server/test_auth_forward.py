"""What app servers pass on to the auth server, where no gateway does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from tests.integration.auth_server.visitor import Visitor
from tiebreak.app_server.routes.auth_forward import auth_forward_routes, open_auth_client
from tiebreak.http_edge.application import application

# More than httpx has connections by itself, and than the auth server lets hash and wait.
LOGINS = 150


class BusyAuthServer:
    """Hashes for ever, and answers everything else at once."""

    def __init__(self) -> None:
        self.logins = asyncio.Semaphore(0)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"POST /auth/login "):
                self.logins.release()
                # Until who asked has gone.
                await reader.read()
            else:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
                await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def forwarded(auth_server: BusyAuthServer) -> AsyncGenerator[Visitor]:
    """Someone who talks to the auth server through an app server."""
    async with await asyncio.start_server(auth_server.answer, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        async with open_auth_client(f"http://127.0.0.1:{port}") as client:
            yield Visitor(application(auth_forward_routes(client), {}, outages=()))


async def test_logins_that_wait_hold_nobody_up() -> None:
    """Guests come in, and keys are read, while more log-ins than anybody hashes wait at the auth server."""
    auth_server = BusyAuthServer()
    async with forwarded(auth_server) as visitor, asyncio.timeout(60):
        logins = [asyncio.create_task(visitor.log_in()) for _ in range(LOGINS)]
        for _ in logins:
            await auth_server.logins.acquire()
        others: list[httpx.Response] = [
            await visitor.post("/auth/guest", {"name": "Ada"}),
            await visitor.get("/.well-known/jwks.json"),
        ]
        assert [response.status_code for response in others] == [200, 200]
        assert not any(login.done() for login in logins)
        for login in logins:
            login.cancel()
        await asyncio.gather(*logins, return_exceptions=True)
