"""A gateway in front of a whole system: the one named by TIEBREAK_TEST_GATEWAY_URL, else Envoy in `tiebreak up`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.client import Quizmaster, quizmaster
from tests.gateway.browser import FRIEND
from tests.system import running_system


@pytest.fixture(scope="session")
def gateway_url() -> Iterator[str]:
    """Where it serves. One that is named must have been told TIEBREAK_ORIGINS=https://learn.example.org."""
    if named := os.environ.get("TIEBREAK_TEST_GATEWAY_URL"):
        yield named.rstrip("/")
        return
    with running_system(None, "--gateway", environ={"TIEBREAK_ORIGINS": FRIEND}) as system:
        yield system.base_url


@pytest.fixture
async def master(gateway_url: str) -> AsyncIterator[Quizmaster]:
    """Makes hosts, players, quizzes and sessions through the gateway."""
    async with quizmaster(gateway_url) as master:
        yield master
