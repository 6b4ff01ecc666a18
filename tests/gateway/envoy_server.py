"""The real Envoy in front of stand-ins for our servers, which say what they were asked."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tiebreak.embedded.gateway import binary, server_command
from tiebreak.embedded.privilege import Privilege, launch_line
from tiebreak.gateway.deployment import Address, Deployment
from tiebreak.gateway.envoy import envoy_json

LOOPBACK = "127.0.0.1"


class Keys:
    """An auth server's keys, of which the newest signs."""

    def __init__(self) -> None:
        self.all: list[RSAKey] = []
        self.rotate()

    def rotate(self) -> None:
        key = RSAKey.generate_key(2048, {"alg": "RS256", "use": "sig"}, private=True, auto_kid=True)
        self.all.insert(0, key)

    def token(self, **change: object) -> str:
        now = int(time.time())
        claims = {"iss": "tiebreak-auth", "aud": "tiebreak", "sub": "user", "role": "guest"}
        claims |= {"nbf": now - 60, "exp": now + 900, **change}
        return jwt.encode({"alg": "RS256", "kid": self.all[0].kid}, claims, self.all[0])


class StandIn:
    """A server that is ready, has keys, and answers everything else with what arrived."""

    def __init__(self, name: str, keys: Keys) -> None:
        self.name = name
        self.asked: list[str] = []
        self.drops = 0  # requests to be cut off after they were read
        self._keys = keys

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/readyz":
            return web.json_response({"status": "ok"})
        if request.path == "/.well-known/jwks.json":
            return web.json_response(KeySet(self._keys.all).as_dict(private=False))
        self.asked.append(f"{request.method} {request.path}")
        await request.read()
        if self.drops > 0:
            self.drops -= 1
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        headers = {name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers}
        return web.json_response({"server": self.name, "headers": headers})


class Front:
    """Envoy, serving, and who stands behind it."""

    def __init__(
        self, http: httpx.AsyncClient, servers: list[StandIn], runners: list[web.AppRunner], keys: Keys
    ) -> None:
        self.http = http
        self.servers = servers
        self.runners = runners
        self.keys = keys

    @property
    def asked(self) -> list[str]:
        return [request for server in self.servers for request in server.asked]

    def bearer(self, **claims: object) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys.token(**claims)}"}


@asynccontextmanager
async def envoy_in_front(
    folder: Path, *, alive: int = 2, dead: int = 0, limits_percent: int = 100_000
) -> AsyncIterator[Front]:
    """Envoy before so many stand-ins, and so many addresses where nobody listens."""
    keys = Keys()
    servers = [StandIn(f"app-{number}", keys) for number in range(alive)]
    runners = [web.AppRunner(app(server)) for server in [*servers, StandIn("auth", keys)]]
    addresses = [await started(runner) for runner in runners]
    nowhere = [free_address() for _ in range(dead)]
    listener = free_address()
    deployment = Deployment(
        app_servers=(*nowhere, *addresses[:-1]),
        auth_servers=(addresses[-1],),
        limits_percent=limits_percent,
        origins=("https://learn.example.org",),
    )
    config = folder / "envoy.json"
    config.write_text(envoy_json(deployment, listener))
    process = started_envoy(config, folder / "envoy.log")
    try:
        async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{listener.port}", timeout=30) as http:
            await serving(http, process, "/healthz" if alive else "/metrics")
            yield Front(http, servers, runners, keys)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for runner in runners:
            await runner.cleanup()


def started_envoy(config: Path, log: Path) -> subprocess.Popen[bytes]:
    """Ends with us, whatever happens to us."""
    line = launch_line(server_command(binary(), config), signal.SIGKILL, Privilege.KEEP)
    with log.open("wb") as output:
        return subprocess.Popen(line, stdout=output, stderr=output)


def app(server: StandIn) -> web.Application:
    found = web.Application(client_max_size=1024 * 1024)
    found.router.add_route("*", "/{path:.*}", server.answer)
    return found


async def started(runner: web.AppRunner) -> Address:
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    return Address(LOOPBACK, int(runner.addresses[0][1]))


def free_address() -> Address:
    with socket.create_server((LOOPBACK, 0)) as probe:
        return Address(LOOPBACK, int(probe.getsockname()[1]))


async def serving(http: httpx.AsyncClient, process: subprocess.Popen[bytes], path: str) -> None:
    async with asyncio.timeout(30):
        while True:
            assert process.poll() is None, "Envoy ended"
            try:
                if (await http.get(path)).status_code in {200, 404}:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.02)
