"""Real servers for every test that asks for them; a missing one is an error, never a skip."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.kafka_server import kafka_servers as running_kafka
from tests.redis_server import redis_server
from tests.servers import TemplateDatabase, postgres_server, valkey_server
from tests.system import System, running_system


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A Postgres for this test run."""
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def template_database(postgres_url: str) -> Iterator[TemplateDatabase]:
    """Migrated once, copied for each test."""
    template = TemplateDatabase(postgres_url)
    template.make()
    yield template
    template.drop()


@pytest.fixture
def database_url(template_database: TemplateDatabase) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    with template_database.copied() as url:
        yield url


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A Valkey for this test run."""
    with valkey_server() as url:
        yield url


@pytest.fixture
def redis_url(valkey_url: str) -> str:
    """An empty Valkey. Tests run one after the other and share it."""
    return emptied(valkey_url)


@pytest.fixture(scope="session")
def redis_7_url() -> Iterator[str]:
    """A Redis, not Valkey, for this test run."""
    with redis_server() as url:
        yield url


@pytest.fixture(params=["Valkey", "Redis 7"])
def each_redis_url(request: pytest.FixtureRequest) -> str:
    """An empty server of each kind in turn."""
    return emptied(request.getfixturevalue({"Valkey": "valkey_url", "Redis 7": "redis_7_url"}[request.param]))


def emptied(url: str) -> str:
    """The same server, without what the last test left there."""
    with Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """A whole running Tiebreak, shared by the tests of this run: do not break it; for that take running_system()."""
    with running_system() as shared:
        yield shared


@pytest.fixture(scope="session")
def kafka_servers() -> Iterator[str]:
    """The address of a Kafka for this test run."""
    with running_kafka() as servers:
        yield servers
