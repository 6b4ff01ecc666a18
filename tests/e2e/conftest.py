"""One whole system for the tests that do it no harm; those that kill or stop things start their own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.client import Quizmaster, quizmaster
from tests.e2e.browser import chromium
from tests.e2e.visit import Visit
from tests.system import System, running_system


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """`tiebreak up`, serving."""
    with running_system() as system:
        yield system


@pytest.fixture
async def master(system: System) -> AsyncIterator[Quizmaster]:
    """Makes hosts, players, quizzes and sessions."""
    async with quizmaster(system.base_url) as master:
        yield master


@pytest.fixture
async def visit(system: System, master: Quizmaster) -> AsyncIterator[Visit]:
    """Somebody with a browser."""
    async with chromium() as browser:
        yield Visit(browser, master, system)
