"""A real Redis, for what must work on both: Redis and the embedded Valkey. scripts/get-redis installs it."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis, RedisError

from tests.servers import folder
from tiebreak.embedded.child import Child, Program
from tiebreak.embedded.valkey import SOCKET, STOPS, server_command

OLDEST = 7


def redis_program() -> Path:
    """The server program; AssertionError, naming the remedy, where there is none or an old one."""
    found = shutil.which("redis-server")
    assert found is not None, "The tests need Redis besides Valkey: run scripts/get-redis, or install redis-server."
    told = subprocess.run([found, "--version"], check=True, capture_output=True, text=True).stdout
    [major] = re.findall(r" v=(\d+)", told)
    assert int(major) >= OLDEST, f"The tests need Redis {OLDEST} or newer; {found} is {told.strip()}"
    return Path(found)


@contextmanager
def redis_server() -> Generator[str]:
    """The URL of a Redis of one's own, with the settings of the embedded Valkey."""
    with folder() as directory, asyncio.Runner() as runner:
        data = directory / "redis"
        data.mkdir()
        program = Program(
            name="redis",
            command=server_command(redis_program(), data, directory, durable=False),
            stops=STOPS,
            death_signal=signal.SIGTERM,
        )
        child = Child(program, directory / "redis.log")
        url = f"unix://{directory / SOCKET}"
        try:
            runner.run(child.start())
            runner.run(child.answers(lambda: answers(url)))
            yield url
        finally:
            runner.run(child.stop())


async def answers(url: str) -> bool:
    """Whether it serves."""
    with Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except RedisError:
            return False
