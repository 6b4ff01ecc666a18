"""Time that jumps, and processes that are killed or stand still."""

import asyncio

import pytest

from simulation.virtual_loop import Process, VirtualLoop


def run(loop: VirtualLoop, main) -> None:
    try:
        loop.run(loop.create_task(main))
    finally:
        loop.wind_up()


def test_time_jumps_to_the_next_timer():
    """Whoever sleeps longest wakes last, and an hour takes no time."""
    loop, woken = VirtualLoop(), []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append((seconds, loop.time()))

    async def main() -> None:
        await asyncio.gather(*map(sleep, (3600, 1, 60)))

    run(loop, main())
    assert woken == [(1, 1), (60, 60), (3600, 3600)]


def test_killed_is_silent():
    """Not even its `finally` runs, nor what it had set in motion."""
    loop, process, said = VirtualLoop(), Process("one"), []

    async def work() -> None:
        try:
            child = asyncio.create_task(asyncio.sleep(5))
            child.add_done_callback(lambda _: said.append("child"))
            await asyncio.sleep(10)
        finally:
            said.append("finally")

    async def main() -> None:
        loop.start(process, work())
        await asyncio.sleep(1)
        loop.kill_process(process)
        await asyncio.sleep(100)
        assert said == []

    run(loop, main())


def test_stopped_goes_on_late():
    """What came due meanwhile happens when it goes on."""
    loop, process, woken = VirtualLoop(), Process("one"), []

    async def work() -> None:
        await asyncio.sleep(2)
        woken.append(loop.time())

    async def main() -> None:
        loop.start(process, work())
        await asyncio.sleep(1)
        loop.stop_process(process)
        await asyncio.sleep(8)
        assert woken == []
        loop.continue_process(process)
        await asyncio.sleep(1)

    run(loop, main())
    assert woken == [9]


def test_nobody_can_go_on():
    """A future that nobody sets is an error, not a wait for ever."""
    loop = VirtualLoop()

    async def main() -> None:
        await loop.create_future()

    with pytest.raises(RuntimeError, match="Everybody waits"):
        run(loop, main())
