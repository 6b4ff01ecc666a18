"""Batches: what comes while one is carried out forms the next, and no item spoils another's outcome."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import pytest

from tiebreak.app_server.batches import Batches, settle_future
from tiebreak.clock import SystemClock
from tiebreak.errors import Refusal


class Gone(Exception):  # noqa: N818 - says what happened
    """The store is away."""


class Store:
    """Carries out batches when it is let; `spoiled` items make their batch fail, while `away` every batch fails."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.spoiled: set[int] = set()
        self.away = 0
        self.hangs = False

    async def carry_out(self, items: Sequence[int]) -> list[str]:
        self.batches.append(list(items))
        await self.open.wait()
        if self.hangs:
            raise TimeoutError
        if self.away:
            self.away -= 1
            raise Gone
        if self.spoiled.intersection(items):
            raise ValueError(items)
        return [f"done {item}" for item in items]


@pytest.fixture
def store() -> Store:
    return Store()


def batches_of(store: Store, *, longest_queue: int = 100, at_once: int = 1) -> Batches[int, str]:
    return Batches(
        store.carry_out, SystemClock(), longest_queue=longest_queue, outages=(Gone,), largest=4, at_once=at_once
    )


def submit(batches: Batches[int, str], item: int) -> asyncio.Future[str]:
    """An item that is taken, and its outcome."""
    outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    assert batches.submit(item, partial(settle_future, outcome)) is None
    return outcome


async def turns(until: Callable[[], object]) -> None:
    """Let others run until it is so."""
    for _ in range(100):
        if until():
            return
        await asyncio.sleep(0)
    raise AssertionError("It never came.")


async def test_item_alone_waits_for_nobody(store):
    """A batch of one."""
    assert await submit(batches_of(store), 1) == "done 1"
    assert store.batches == [[1]]


async def test_what_comes_meanwhile_forms_the_next_batches_in_order(store):
    """None larger than the largest, each with its own outcome."""
    store.open.clear()
    batches = batches_of(store)
    first = submit(batches, 0)
    await turns(lambda: store.batches)
    others = [submit(batches, item) for item in range(1, 7)]
    assert len(batches) == 6
    store.open.set()
    assert await asyncio.gather(first, *others) == [f"done {item}" for item in range(7)]
    assert store.batches == [[0], [1, 2, 3, 4], [5, 6]]


async def test_two_batches_at_once_share_what_waits(store):
    """While the store works on one half, the other is on its way; what comes meanwhile is shared again."""
    store.open.clear()
    batches = batches_of(store, at_once=2)
    outcomes = [submit(batches, item) for item in range(3)]
    await turns(lambda: len(store.batches) == 2)
    outcomes += [submit(batches, item) for item in range(3, 10)]
    assert (store.batches, len(batches)) == ([[0, 1], [2]], 7)
    store.open.set()
    assert await asyncio.gather(*outcomes) == [f"done {item}" for item in range(10)]
    assert store.batches[2:] == [[3, 4, 5, 6], [7, 8, 9]]


async def test_one_after_the_other_leaves_nobody_without_a_worker(store):
    """An item that comes when the last outcome was just given starts anew."""
    batches = batches_of(store)
    for item in range(50):
        assert await asyncio.wait_for(submit(batches, item), 5) == f"done {item}"


async def test_full_queue_refuses_and_does_nothing(store):
    """Those in the batch under way do not count as waiting; afterwards there is room again."""
    store.open.clear()
    batches = batches_of(store, longest_queue=2)
    outcomes = [submit(batches, 0)]
    await turns(lambda: store.batches)
    outcomes += [submit(batches, item) for item in (1, 2)]
    assert await batches.outcome_of(3) is Refusal.BUSY
    store.open.set()
    assert await asyncio.gather(*outcomes) == ["done 0", "done 1", "done 2"]
    assert await submit(batches, 4) == "done 4"
    assert store.batches == [[0], [1, 2], [4]]


async def test_failed_batch_is_tried_once_more(store):
    """A connection that was lost between two batches costs nobody anything."""
    store.away = 1
    batches = batches_of(store)
    outcomes = [submit(batches, item) for item in (1, 2)]
    assert await asyncio.gather(*outcomes) == ["done 1", "done 2"]
    assert store.batches == [[1, 2], [1, 2]]


async def test_item_that_spoils_its_batch_fails_alone(store):
    """After the second failure each is carried out by itself."""
    store.spoiled = {2}
    batches = batches_of(store)
    outcomes = [submit(batches, item) for item in (1, 2, 3)]
    found = await asyncio.gather(*outcomes, return_exceptions=True)
    assert (found[0], found[2]) == ("done 1", "done 3")
    assert isinstance(found[1], ValueError)
    assert store.batches == [[1, 2, 3], [1, 2, 3], [1], [2], [3]]


async def test_spoiled_item_alone_is_tried_twice(store):
    """There is nobody to part it from."""
    store.spoiled = {1}
    with pytest.raises(ValueError, match="1"):
        await submit(batches_of(store), 1)
    assert store.batches == [[1], [1]]


async def test_outage_is_met_once_for_all(store):
    """Nobody waits for 256 time-outs, one after the other."""
    store.away = 100
    batches = batches_of(store)
    outcomes = [submit(batches, item) for item in (1, 2, 3)]
    found = await asyncio.gather(*outcomes, return_exceptions=True)
    assert [type(one) for one in found] == [Gone] * 3
    assert store.batches == [[1, 2, 3], [1, 2, 3], [1]]


async def test_store_that_comes_back_between_the_tries_serves_them_all(store):
    """That the batch failed says nothing of the items."""
    store.away = 2
    batches = batches_of(store)
    outcomes = [submit(batches, item) for item in (1, 2)]
    assert await asyncio.gather(*outcomes) == ["done 1", "done 2"]
    assert store.batches == [[1, 2], [1, 2], [1], [2]]


async def test_outage_in_the_middle_keeps_what_was_done(store):
    """One by one, until the store is away again."""
    store.spoiled = {1}
    batches = batches_of(store)
    calls: Callable[[Sequence[int]], Awaitable[list[str]]] = store.carry_out

    async def carry_out(items: Sequence[int]) -> list[str]:
        if list(items) == [3]:
            store.away = 100
        return await calls(items)

    store.carry_out = carry_out
    batches = batches_of(store)
    outcomes = [submit(batches, item) for item in (1, 2, 3, 4)]
    found = await asyncio.gather(*outcomes, return_exceptions=True)
    assert [type(found[0]), found[1], type(found[2]), type(found[3])] == [ValueError, "done 2", Gone, Gone]


async def test_store_that_hangs_is_waited_for_once(store):
    """Trying again would take as long again, for each of them."""
    store.hangs = True
    batches = batches_of(store)
    outcomes = [submit(batches, item) for item in (1, 2, 3)]
    found = await asyncio.gather(*outcomes, return_exceptions=True)
    assert [type(one) for one in found] == [TimeoutError] * 3
    assert store.batches == [[1, 2, 3]]


async def test_one_who_cannot_take_an_outcome_leaves_the_others_theirs(store):
    """Whatever goes wrong with a connection is its own affair."""

    def cannot(_: object) -> None:
        raise RuntimeError("gone")

    batches = batches_of(store)
    batches.submit(1, cannot)
    assert await submit(batches, 2) == "done 2"
    assert await submit(batches, 3) == "done 3"


async def test_who_gives_up_waiting_disturbs_nobody(store):
    """Its item is carried out all the same: nobody can take back what may have been committed."""
    store.open.clear()
    batches = batches_of(store)
    outcomes = [submit(batches, item) for item in (1, 2)]
    await turns(lambda: store.batches)
    outcomes[0].cancel()
    store.open.set()
    assert await outcomes[1] == "done 2"
    assert store.batches == [[1, 2]]


async def test_item_that_has_waited_too_long_is_refused_unbegun(store):
    """While the store hangs; what it has begun is left to it, and what comes later is carried out."""
    given_up: list[str] = []
    batches = Batches(
        store.carry_out,
        SystemClock(),
        longest_queue=100,
        outages=(Gone,),
        largest=2,
        at_once=1,
        longest_wait_seconds=0.05,
        on_given_up=lambda: given_up.append("one"),
    )
    store.open.clear()
    begun = [submit(batches, item) for item in (1, 2)]
    await turns(lambda: store.batches)
    waiting = [submit(batches, item) for item in (3, 4, 5)]
    async with asyncio.timeout(5):
        assert await asyncio.gather(*waiting) == [Refusal.BUSY] * 3
    assert len(given_up) == 3
    assert len(batches) == 0
    assert not any(it.done() for it in begun)
    store.open.set()
    assert await asyncio.gather(*begun) == ["done 1", "done 2"]
    assert await submit(batches, 6) == "done 6"
    assert store.batches == [[1, 2], [6]]


async def test_item_whose_turn_comes_in_time_is_carried_out(store):
    """Each has its own time: that of the first does not end the wait of the next."""
    batches = Batches(
        store.carry_out, SystemClock(), longest_queue=100, outages=(Gone,), at_once=1, longest_wait_seconds=0.3
    )
    store.open.clear()
    begun = submit(batches, 1)
    await turns(lambda: store.batches)
    early = submit(batches, 2)
    late: list[asyncio.Future[str]] = []
    asyncio.get_running_loop().call_later(0.2, lambda: late.append(submit(batches, 3)))
    async with asyncio.timeout(5):
        assert await early is Refusal.BUSY
    assert not late[0].done()
    store.open.set()
    assert await begun == "done 1"
    assert await late[0] == "done 3"
