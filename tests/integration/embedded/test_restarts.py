"""What dies under `tiebreak up` is started again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.deadline import eventually
from tests.system import System, running_system
from tiebreak.database.pool import OUTAGES


@pytest.fixture(scope="module")
def mortal() -> Iterator[System]:
    """A system whose children may be killed; that Ctrl-C leaves nothing behind after that too is checked at its end."""
    with running_system() as system:
        yield system


def restarted(system: System, child: str) -> None:
    """Kill a child; wait until there is another."""
    before = system.pid(child)
    system.kill(child)
    assert eventually(lambda: system.pid(child) != before)


def serves(system: System) -> bool:
    return httpx.get(f"{system.base_url}/readyz", timeout=10).status_code == 200


async def test_postgres(mortal: System) -> None:
    """Postgres recovers what was committed."""
    connection = await asyncpg.connect(mortal.database_url)
    await connection.execute("CREATE TABLE committed AS SELECT 1 AS row")
    restarted(mortal, "postgres")
    mortal.says("postgres ended by SIGKILL; starting it again")
    mortal.says("postgres answers again")
    with pytest.raises(OUTAGES):
        await connection.execute("SELECT 1")
    again = await asyncpg.connect(mortal.database_url)
    assert await again.fetchval("SELECT count(*) FROM committed") == 1
    await again.close()
    assert eventually(lambda: serves(mortal))


def test_valkey(mortal: System) -> None:
    """Valkey reads back what it was told before it was killed."""
    Redis.from_url(mortal.redis_url).set("kept", "yes")
    restarted(mortal, "valkey")
    mortal.says("valkey ended by SIGKILL; starting it again")
    mortal.says("valkey answers again")
    assert Redis.from_url(mortal.redis_url, decode_responses=True).get("kept") == "yes"
    assert eventually(lambda: serves(mortal))


def test_valkey_asked_to_end(mortal: System) -> None:
    """An exit with status 0 is no reason to stay away."""
    before = mortal.pid("valkey")
    with suppress(RedisError):
        Redis.from_url(mortal.redis_url).shutdown()
    assert eventually(lambda: mortal.pid("valkey") != before)
    mortal.says("valkey ended with exit status 0; starting it again")


@pytest.mark.parametrize("child", ["auth-server", "publisher-worker", "cache-worker"])
def test_process(mortal: System, child: str) -> None:
    """A server or worker of ours comes back."""
    restarted(mortal, child)
    mortal.says(f"{child} ended by SIGKILL; starting it again")
    assert eventually(lambda: serves(mortal))


def test_connections_wait_for_the_app_server(mortal: System) -> None:
    """While the app server restarts, a connection is not refused: it waits and is served."""
    address = urlsplit(mortal.base_url)
    mortal.kill("app-server")
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        received = b""
        while part := connection.recv(4096):
            received += part
    # The kernel may have given the connection to the process that died; then it was cut, not refused.
    assert received == b"" or received.startswith(b"HTTP/1.1 200")
    mortal.says("app-server ended by SIGKILL; starting it again")
    assert eventually(lambda: serves(mortal))
