"""Work that many ask for at once."""

import asyncio

import pytest

from tiebreak.single_flight import SingleFlight


class Work:
    """Takes until it is let go; then it says how often it was begun, or fails."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        await self.may_end.wait()
        if self.error:
            raise self.error
        return number


async def asked(flights: SingleFlight[str, int], work: Work, times: int) -> list[asyncio.Task[int]]:
    """So many who wait for the same."""
    tasks = [asyncio.create_task(flights.do("key", work)) for _ in range(times)]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_asked_for_at_once_it_is_done_once():
    """A thousand get one result; whoever asks later gets a new one."""
    flights, work = SingleFlight[str, int](), Work()
    tasks = await asked(flights, work, 1_000)
    work.may_end.set()
    assert set(await asyncio.gather(*tasks)) == {1}
    assert await flights.do("key", work) == 2


async def test_another_key_is_other_work():
    """Keys do not wait for each other."""
    flights, slow, quick = SingleFlight[str, int](), Work(), Work()
    [waiting] = await asked(flights, slow, 1)
    quick.may_end.set()
    assert await flights.do("other", quick) == 1
    assert not waiting.done()
    slow.may_end.set()
    await waiting


async def test_a_failure_is_not_kept():
    """Those who waited for it are told; the next one begins anew."""
    flights, work = SingleFlight[str, int](), Work()
    tasks = await asked(flights, work, 3)
    work.error = OSError("no database")
    work.may_end.set()
    assert [str(it) for it in await asyncio.gather(*tasks, return_exceptions=True)] == ["no database"] * 3
    work.error = None
    assert await flights.do("key", work) == 2


async def test_who_gives_up_disturbs_nobody():
    """The first one's cancellation does not reach the others, nor the work."""
    flights, work = SingleFlight[str, int](), Work()
    first, second = await asked(flights, work, 2)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    work.may_end.set()
    assert (await second, work.begun) == (1, 1)
