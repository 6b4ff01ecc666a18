"""An auth server on a database of its own, with a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.integration.auth_server.visitor import Visitor
from tests.standing_clock import StandingClock
from tiebreak.auth_server.main import AuthServer, opened
from tiebreak.database.pool import Pool
from tiebreak.settings import Settings


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, database_pool_size=8)


@pytest.fixture
async def server(settings: Settings, clock: StandingClock) -> AsyncIterator[AuthServer]:
    async with opened(settings, clock, asyncio.Event()) as server:
        yield server


@pytest.fixture
def visitor(server: AuthServer) -> Visitor:
    return Visitor(server.app)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A look at the database from beside the server."""
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        yield pool
