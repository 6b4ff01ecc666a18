"""A session with answers in the ledger, on Valkey and on Redis alike."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.boards.stage import Stage
from tests.scene import opened_pool
from tiebreak.redis_client import open_redis


@pytest.fixture
async def stage(database_url: str, each_redis_url: str) -> AsyncIterator[Stage]:
    redis = await open_redis(each_redis_url)
    async with opened_pool(database_url) as pool:
        yield await Stage.set(pool, redis)
    await redis.aclose()
