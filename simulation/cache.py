"""Redis as cache, and the client that a process has of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError
from redis.exceptions import TimeoutError as RedisTimeoutError

from simulation.keyspace import Keyspace
from simulation.network import Network, Server, Work
from simulation.scripts import SCRIPTS

OUTAGES = (RedisConnectionError("The connection is lost."), RedisTimeoutError("No reply in time."))
# What redis-py does by itself before it raises.
RETRIES = 3


class CacheServer(Server):
    """One server: what it holds, the scripts it knows, and who looks on."""

    def __init__(self, data: Keyspace, on_read: Callable[[CacheServer, str, list[Any]], None]) -> None:
        """`on_read` gets a session's board key and what read.lua answers, at the moment it is read."""
        super().__init__("cache")
        self.data = data
        self.on_read = on_read
        self._known: set[str] = set()

    def restart(self, data: Keyspace) -> None:
        """Come up with what is left."""
        self.data = data
        self._known.clear()
        self.come_up()

    def run_script(self, digest: str, count: int, arguments: Sequence[str | int]) -> list[Any]:
        if digest not in self._known:
            raise NoScriptError("NOSCRIPT No matching script.")
        name, code = SCRIPTS[digest]
        texts = [str(it) for it in arguments]
        reply = code(self.data, texts[:count], texts[count:])
        if name == "read":
            self.on_read(self, texts[0], reply)
        return reply

    def learn(self, script_digest: str) -> None:
        self._known.add(script_digest)

    def set(self, key: str, value: str, *, nx: bool, ex: int) -> bool | None:
        if nx and self.data.exists(key):
            return None
        self.data.set(key, value)
        self.data.expire(key, ex)
        return True


class Address:
    """Where a process believes the cache to be."""

    def __init__(self, server: CacheServer) -> None:
        self.server = server


class CacheClient:
    """The commands of redis-py's client that the product uses, with its retries."""

    def __init__(self, network: Network, who: str, address: Address, digests: dict[str, str]) -> None:
        """`digests`: of each script's text."""
        self._network = network
        self._who = who
        self._address = address
        self._digests = digests

    async def carry_out(self, what: str, *commands: Callable[[CacheServer], Any]) -> list[Any]:
        for attempt in range(RETRIES + 1):
            server = self._address.server
            works: list[Work] = [partial(command, server) for command in commands]
            try:
                return await self._network.call(self._who, server, what, works, OUTAGES)
            except (RedisConnectionError, RedisTimeoutError):
                # Not always: so that what comes after the last retry comes more often.
                if attempt == RETRIES or self._network.random.random() < 0.3:
                    raise
            await asyncio.sleep(0.02 * 2**attempt)
        raise AssertionError("unreachable")

    async def command(self, what: str, command: Callable[[CacheServer], Any]) -> Any:  # noqa: ANN401
        [reply] = await self.carry_out(what, command)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def by_digest(self, digest: str, count: int, arguments: Sequence[str | int]) -> Callable[[CacheServer], Any]:
        return lambda server: server.run_script(digest, count, arguments)

    def by_text(self, script: str, count: int, arguments: Sequence[str | int]) -> Callable[[CacheServer], Any]:
        digest = self._digests[script]

        def run(server: CacheServer) -> list[Any]:
            server.learn(digest)
            return server.run_script(digest, count, arguments)

        return run

    async def evalsha(self, digest: str, count: int, *arguments: str | int) -> list[Any]:
        return await self.command(SCRIPTS[digest][0], self.by_digest(digest, count, arguments))

    async def eval(self, script: str, count: int, *arguments: str | int) -> list[Any]:
        return await self.command(SCRIPTS[self._digests[script]][0], self.by_text(script, count, arguments))

    async def set(self, key: str, value: str, *, nx: bool, ex: int) -> bool | None:
        return await self.command("set", lambda server: server.set(key, value, nx=nx, ex=ex))

    async def delete(self, *keys: str) -> None:
        await self.command("delete", lambda server: server.data.delete(*keys))

    unlink = delete

    def pipeline(self, *, transaction: bool) -> Pipeline:
        assert not transaction
        return Pipeline(self)


class Pipeline:
    """Commands that go out together."""

    def __init__(self, client: CacheClient) -> None:
        self._client = client
        self._commands: list[Callable[[CacheServer], Any]] = []
        self._what: list[str] = []

    async def __aenter__(self) -> Pipeline:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def evalsha(self, digest: str, count: int, *arguments: str | int) -> None:
        self._what.append(SCRIPTS[digest][0])
        self._commands.append(self._client.by_digest(digest, count, arguments))

    def eval(self, script: str, count: int, *arguments: str | int) -> None:
        self._what.append("eval")
        self._commands.append(self._client.by_text(script, count, arguments))

    def expire(self, key: str, seconds: int) -> None:
        self._what.append("expire")
        self._commands.append(lambda server: server.data.expire(key, seconds))

    async def execute(self, *, raise_on_error: bool = True) -> list[Any]:
        if not self._commands:
            return []
        replies = await self._client.carry_out(" ".join(self._what), *self._commands)
        if raise_on_error and (error := next((it for it in replies if isinstance(it, Exception)), None)):
            raise error
        return replies
