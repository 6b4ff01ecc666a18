"""Readiness is told in time, whatever hangs."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from tiebreak.http_edge import health
from tiebreak.http_edge.health import Doctor


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.05)


class Store:
    """Asked whether it is there, it says nothing until `back`; who is cancelled while asking waits on."""

    def __init__(self) -> None:
        self.back = asyncio.Event()
        self.asked = 0

    async def ask(self) -> None:
        self.asked += 1
        while not self.back.is_set():
            try:
                await self.back.wait()
            except asyncio.CancelledError:
                continue


async def well() -> None:
    return


async def test_check_that_hangs_is_missing_and_holds_up_nobody():
    """A query that was cancelled may hang all the same; and it is not asked again while it does."""
    store = Store()
    doctor = Doctor({"store": store.ask, "other": well}, CollectorRegistry(), asyncio.Event())
    try:
        async with asyncio.timeout(5):
            assert [await doctor.missing() for _ in range(3)] == [["store"]] * 3
    finally:
        store.back.set()
    assert store.asked == 1
    async with asyncio.timeout(5):
        while await doctor.missing():
            pass


async def test_check_that_raises_is_missing():
    async def away() -> None:
        raise OSError("away")

    doctor = Doctor({"store": away}, CollectorRegistry(), asyncio.Event())
    assert await doctor.missing() == ["store"]
