"""Connections to Redis or Valkey."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

# What redis-py raises when the server is gone, going, or still loading its data (BusyLoadingError is one).
OUTAGES = (RedisConnectionError, RedisTimeoutError, OSError)

# Replies to stream reads in RESP2: (id, fields) of each entry, by stream.
Entries = list[tuple[bytes, dict[bytes, bytes]]]
StreamReply = list[tuple[bytes, Entries]]

__all__ = ["OUTAGES", "Entries", "Redis", "RedisError", "ResponseError", "StreamReply", "open_redis"]


async def open_redis(url: str, *, retries: int = 3) -> Redis:
    """A client for `url`; it connects when first used and again after a loss, with a few quick retries.

    Without `retries` a lost reply is an error: for commands whose reply cannot be had twice.
    """
    return Redis.from_url(
        url,
        socket_connect_timeout=5,
        socket_timeout=10,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.02), retries=retries),
        retry_on_error=[RedisConnectionError, ReadOnlyError] if retries else [],
        health_check_interval=30,
        protocol=2,
    )
