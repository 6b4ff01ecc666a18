"""Many at once, but not all."""

from __future__ import annotations

import asyncio

import pytest

from tiebreak.load_test.requests import AT_ONCE, for_each


async def test_each_once_and_so_many_at_a_time():
    """Whatever their number."""
    running = most = 0
    done: list[int] = []

    async def work(item):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        done.append(item)

    steps: list[None] = []
    await for_each(range(3 * AT_ONCE), work, lambda: steps.append(None))
    assert sorted(done) == list(range(3 * AT_ONCE))
    assert len(steps) == len(done)
    assert most == AT_ONCE


async def test_the_first_failure_ends_it():
    """It is raised as it is, and the rest is not done."""
    done: list[int] = []

    async def work(item):
        await asyncio.sleep(0)
        if item == 5:
            raise ValueError(item)
        done.append(item)

    with pytest.raises(ValueError, match="5"):
        await for_each(range(10 * AT_ONCE), work, lambda: None)
    assert len(done) < 5 * AT_ONCE
