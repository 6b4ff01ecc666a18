"""One topology on Valkey and one on Redis for all tests of this folder; a server of Node for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.socket_adapter.app_server import app_server
from tests.integration.socket_adapter.stage import Stage, Topology, opened_stage
from tests.redis_server import redis_server
from tests.system import running_system


@pytest.fixture(scope="session", params=["Valkey", "Redis 7"])
def topology(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """Two app servers, an auth server and the workers, real processes, on a store of each kind in turn."""
    log: Path = tmp_path_factory.mktemp("app-server") / "second.log"
    with ExitStack() as closing:
        stores = {}
        if request.param == "Redis 7":
            stores["TIEBREAK_REDIS_URL"] = closing.enter_context(redis_server())
        system = closing.enter_context(running_system(environ=stores))
        yield Topology(system, closing.enter_context(app_server(system, log)))


@pytest.fixture
async def stage(topology: Topology) -> AsyncIterator[Stage]:
    """The topology, and Node's server and clients."""
    async with opened_stage(topology) as stage:
        yield stage
