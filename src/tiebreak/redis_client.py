"""Connections to Redis or Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from hashlib import sha1
from typing import Any, NamedTuple

from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from tiebreak.errors import CacheUnavailable

# More do not make one process faster.
MAX_CONNECTIONS = 50

# What redis-py raises when the server is gone, going, or still loading its data (BusyLoadingError is one).
OUTAGES = (RedisConnectionError, RedisTimeoutError, OSError)

# Replies to stream reads in RESP2: (id, fields) of each entry, by stream.
Entries = list[tuple[bytes, dict[bytes, bytes]]]
StreamReply = list[tuple[bytes, Entries]]

__all__ = [
    "OUTAGES",
    "Entries",
    "Redis",
    "RedisError",
    "ResponseError",
    "Script",
    "ScriptCall",
    "StreamReply",
    "open_redis",
    "when_it_answers",
]


class LossTold(AbstractConnection):
    """uvloop raises RuntimeError where something is written to a connection that was just lost; asyncio an OSError."""

    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:
        try:
            await super().send_packed_command(command, check_health)
        except RuntimeError as error:
            raise RedisConnectionError(f"The connection was lost: {error}") from error


class TcpConnection(LossTold, Connection): ...


class TlsConnection(LossTold, SSLConnection): ...


class SocketConnection(LossTold, UnixDomainSocketConnection): ...


KINDS: dict[type[AbstractConnection], type[AbstractConnection]] = {
    Connection: TcpConnection,
    SSLConnection: TlsConnection,
    UnixDomainSocketConnection: SocketConnection,
}


async def open_redis(url: str, *, retries: int = 3) -> Redis:
    """A client for `url`; it connects when first used and again after a loss, with a few quick retries.

    Without `retries` a lost reply is an error: for commands whose reply cannot be had twice.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        # redis-py's other pool refuses what goes beyond its connections: a room that asks at once is told to wait.
        max_connections=MAX_CONNECTIONS,
        timeout=10,
        socket_connect_timeout=5,
        socket_timeout=10,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.02), retries=retries),
        retry_on_error=[RedisConnectionError, ReadOnlyError] if retries else [],
        health_check_interval=30,
        protocol=2,
    )
    pool.connection_class = KINDS[pool.connection_class]
    return Redis.from_pool(pool)


async def when_it_answers(attempt: Callable[[], Awaitable[object]], *, seconds: float) -> None:
    """Repeat an attempt while Redis is away, or cannot do its work; CacheUnavailable after so long."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            await attempt()
            return
        except (*OUTAGES, RedisError) as error:
            if asyncio.get_running_loop().time() > deadline:
                raise CacheUnavailable(
                    f"Redis does not answer ({error}). Check that it runs and that TIEBREAK_REDIS_URL is right."
                ) from error
            await asyncio.sleep(0.1)


class ScriptCall(NamedTuple):
    """What a script is called with."""

    keys: Sequence[str]
    args: Sequence[str | int]


class Script:
    """A Lua script, called by its digest: Redis is sent the text only where it does not have it.

    redis-py's own scripts ask "SCRIPT EXISTS" before every pipeline: a round trip more for each.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._digest = sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def call(self, redis: Redis, keys: Sequence[str], args: Sequence[str | int]) -> list[Any]:
        """Run it once: its reply, a list. Raises its error too."""
        try:
            return await redis.evalsha(self._digest, len(keys), *keys, *args)
        except NoScriptError:
            return await redis.eval(self._text, len(keys), *keys, *args)

    async def call_all(self, redis: Redis, calls: Sequence[ScriptCall]) -> list[list[Any] | Exception]:
        """Run it for each of `calls`, all in one round trip: its reply, a list, or its error for each.

        Raises OUTAGES; then some may have run and some not.
        """
        async with redis.pipeline(transaction=False) as pipe:
            for keys, args in calls:
                pipe.evalsha(self._digest, len(keys), *keys, *args)
            replies = await pipe.execute(raise_on_error=False)
        # Redis was restarted, or told to forget its scripts, maybe in the middle. With its text a script always runs.
        if unknown := [at for at, reply in enumerate(replies) if isinstance(reply, NoScriptError)]:
            async with redis.pipeline(transaction=False) as pipe:
                for at in unknown:
                    keys, args = calls[at]
                    pipe.eval(self._text, len(keys), *keys, *args)
                for at, reply in zip(unknown, await pipe.execute(raise_on_error=False), strict=True):
                    replies[at] = reply
        return replies
