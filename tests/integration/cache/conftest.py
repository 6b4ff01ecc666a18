"""The cache is tested on Valkey and on Redis alike."""

import pytest


@pytest.fixture
def redis_url(each_redis_url: str) -> str:
    """An empty Valkey, then an empty Redis."""
    return each_redis_url
