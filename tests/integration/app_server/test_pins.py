"""PINs tried at once from one address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.integration.auth_server.visitor import Visitor, refused
from tests.scene import Scene, opened_pool
from tests.standing_clock import StandingClock
from tiebreak.app_server.routes.quiz_sessions import find_by_pin
from tiebreak.cache.limits import MissLimit
from tiebreak.database.pool import Pool
from tiebreak.http_edge.application import application

MISSES = 20
AT_ONCE = 200


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with opened_pool(database_url, size=2) as pool:
        yield pool


@pytest.fixture
def visitor(pool: Pool) -> Visitor:
    misses = MissLimit(None, StandingClock(), name="pin", per_minute=MISSES)
    return Visitor(application([find_by_pin], {"pool": pool, "pin_misses": misses}, outages=()))


async def sent_at_once(visitor: Visitor, pin: str) -> list[httpx.Response]:
    return await asyncio.gather(*(visitor.get(f"/pin/{pin}") for _ in range(AT_ONCE)))


async def test_wrong_ones(visitor: Visitor) -> None:
    """All are looked up before the first has missed: no more are told than one after the other."""
    responses = [refused(response) for response in await sent_at_once(visitor, "123456")]
    assert responses.count((404, "pin_not_found")) == MISSES
    assert responses.count((429, "too_many_tries")) == AT_ONCE - MISSES


async def test_right_ones(visitor: Visitor, pool: Pool) -> None:
    """A school behind one address comes in all at once."""
    scene = await Scene.set(pool)
    pin = await pool.fetchval("SELECT pin FROM quiz_sessions WHERE id = $1", scene.session_id)
    responses = await sent_at_once(visitor, pin)
    assert [response.json() for response in responses] == [{"quiz_session_id": str(scene.session_id)}] * AT_ONCE
