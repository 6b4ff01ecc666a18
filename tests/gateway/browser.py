"""Sockets as a browser opens them: it keeps cookies, which is how a polling client stays with one server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import socketio

from tests.client import Screen

FRIEND = "https://learn.example.org"
STRANGER = "https://evil.example.net"
TRANSPORTS = {"default": None, "websocket": ["websocket"], "polling": ["polling"]}


@asynccontextmanager
async def opened(base_url: str, token: str, transports: list[str] | None, **options: Any) -> AsyncIterator[Screen]:
    # Not only cookies of hosts with a name: tests are at 127.0.0.1.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as cookies:
        client = socketio.AsyncClient(http_session=cookies, reconnection=options.pop("reconnection", False))
        screen = Screen(client)
        await client.connect(base_url, auth={"token": token}, transports=transports, **options)
        try:
            yield screen
        finally:
            # Orderly it would wait for the end of a poll under way, which is up to 30 s away.
            client.reconnection = False
            await client.eio.disconnect(abort=True)
