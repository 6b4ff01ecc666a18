"""Turns are bounded, and so is the wait for one."""

from __future__ import annotations

import asyncio

import pytest

from tiebreak.auth_server import hashing_turns
from tiebreak.auth_server.hashing_turns import HashingTurns
from tiebreak.errors import Refusal, Refused

ADDRESS, OTHER = "192.0.2.1", "192.0.2.2"


async def test_who_waits_too_long_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not hashed for somebody who has been given up, and its place goes to another."""
    monkeypatch.setattr(hashing_turns, "LONGEST_WAIT_SECONDS", 0.01)
    turns = HashingTurns(at_once=1, longest_queue=1)
    async with turns.turn(ADDRESS):
        for _ in range(2):
            with pytest.raises(Refused) as refused:
                async with turns.turn(ADDRESS):
                    pytest.fail("There was no turn.")
            assert refused.value.refusal is Refusal.BUSY
    async with turns.turn(ADDRESS):
        pass


async def test_who_gives_up_waiting_leaves_its_place() -> None:
    """A request that was cancelled keeps neither a turn nor a place in the queue."""
    turns = HashingTurns(at_once=1, longest_queue=1)

    async def wait() -> None:
        async with turns.turn(ADDRESS):
            pytest.fail("There was no turn.")

    async with turns.turn(ADDRESS):
        for _ in range(3):
            waiting = asyncio.create_task(wait())
            await asyncio.sleep(0)
            with pytest.raises(Refused):
                async with turns.turn(ADDRESS):
                    pytest.fail("There was no turn.")
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
    async with turns.turn(ADDRESS):
        pass


async def test_one_address_takes_half_of_the_queue() -> None:
    """Beyond that it is told so, and the other half is for others; who gives up makes room for its own."""
    turns = HashingTurns(at_once=1, longest_queue=4)
    hashed: list[str] = []

    async def come(address: str) -> None:
        async with turns.turn(address):
            hashed.append(address)

    async with turns.turn(ADDRESS):
        waiting = [asyncio.create_task(come(ADDRESS)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Refused) as refused:
            await come(ADDRESS)
        assert refused.value.refusal is Refusal.BUSY
        waiting[0].cancel()
        await asyncio.sleep(0)
        waiting += [asyncio.create_task(come(address)) for address in (ADDRESS, OTHER, OTHER)]
        await asyncio.sleep(0)
        # Now the whole queue is taken.
        with pytest.raises(Refused):
            await come("192.0.2.3")
    await asyncio.gather(*waiting, return_exceptions=True)
    assert hashed == [ADDRESS, ADDRESS, OTHER, OTHER]
