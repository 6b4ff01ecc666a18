"""What the fixtures promise to every test."""

from __future__ import annotations

import asyncpg
from redis.asyncio import Redis


async def test_database(database_url: str) -> None:
    """A test gets a migrated database."""
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT count(*) FROM schema_migrations") > 0
    await connection.execute("CREATE TABLE mine ()")
    await connection.close()


async def test_own_database(database_url: str) -> None:
    """What one test made another does not see."""
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT to_regclass('mine')") is None
    await connection.close()


async def test_cache(redis_url: str) -> None:
    """A test gets an empty Valkey."""
    client = Redis.from_url(redis_url)
    assert await client.dbsize() == 0
    await client.set("a", "b")
    await client.aclose()


async def test_cache_is_empty_again(redis_url: str) -> None:
    """What one test wrote another does not see."""
    client = Redis.from_url(redis_url)
    assert await client.dbsize() == 0
    await client.aclose()
