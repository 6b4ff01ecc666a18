"""Leaderboards on the test's Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.redis_client import Redis, open_redis


@asynccontextmanager
async def opened_leaderboards(redis_url: str) -> AsyncIterator[tuple[Leaderboards, Redis]]:
    redis = await open_redis(redis_url)
    try:
        yield Leaderboards(redis), redis
    finally:
        await redis.aclose()
