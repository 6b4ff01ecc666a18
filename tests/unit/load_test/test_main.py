"""Open files, for which the operating system has limits."""

from __future__ import annotations

import resource

import pytest

from tiebreak.load_test.main import allow_descriptors
from tiebreak.load_test.requests import LoadTestFailed


@pytest.fixture
def limits(monkeypatch):
    """This process's limits, as the test wants them; those that were set."""
    found = {"now": (256, 10_000)}
    monkeypatch.setattr(resource, "getrlimit", lambda _: found["now"])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: found.update(now=limits))
    return found


def test_raised_as_far_as_needed(limits):
    """Without being asked."""
    allow_descriptors(2_000)
    assert limits["now"] == (4_100, 10_000)


def test_left_alone_where_it_is_enough(limits):
    """It is never lowered."""
    allow_descriptors(10)
    assert limits["now"] == (256, 10_000)


def test_no_limit_at_all(limits):
    """Infinity is a number below all others here."""
    limits["now"] = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    allow_descriptors(100_000)
    limits["now"] = (256, resource.RLIM_INFINITY)
    allow_descriptors(100_000)
    assert limits["now"] == (200_100, resource.RLIM_INFINITY)


def test_more_than_is_allowed(limits):
    """It says what to do."""
    with pytest.raises(LoadTestFailed, match="ulimit -n 20100"):
        allow_descriptors(10_000)
