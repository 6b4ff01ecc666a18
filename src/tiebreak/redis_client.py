"""Connections to Redis or Valkey."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

# What redis-py raises when the server is gone, going, or still loading its data (BusyLoadingError is one).
OUTAGES = (RedisConnectionError, RedisTimeoutError, OSError)

# Replies to stream reads in RESP2: (id, fields) of each entry, by stream.
Entries = list[tuple[bytes, dict[bytes, bytes]]]
StreamReply = list[tuple[bytes, Entries]]

__all__ = ["OUTAGES", "Entries", "Redis", "RedisError", "ResponseError", "StreamReply", "open_redis"]


async def open_redis(url: str) -> Redis:
    """A client for `url`; it connects when first used and again after a loss, with a few quick retries."""
    return Redis.from_url(
        url,
        socket_connect_timeout=5,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.02), retries=3),
        retry_on_error=[RedisConnectionError],
        health_check_interval=30,
        protocol=2,
    )
