"""Every test here has servers of its own, in its own loop: what they hold can be looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import uvloop

from tests.integration.socket_core.stage import Stage, opened_stage


@pytest.hookimpl
def pytest_asyncio_loop_factories() -> dict[str, object]:
    """The loop that the server runs on in earnest: write buffers are filled and emptied its way."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Serves what it is told to; everything is closed with the test."""
    async with opened_stage() as stage:
        yield stage
