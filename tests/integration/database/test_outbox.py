"""The outbox: one owner per shard, and a late owner removes nothing."""

from tests.scene import Scene, opened_pool
from tiebreak.database.outbox import Outbox, outbox_depth
from tiebreak.events import SHARDS
from tiebreak.ids import new_id

HOUR = 3600.0


async def with_events(pool, count=3):
    scene = await Scene.set(pool, [100] * count)
    user, _ = await scene.player()
    for question in range(count):
        await scene.answer(user, question)
    return scene


async def test_owner_sees_and_removes_its_events(database_url):
    """The first worker gets all shards, reads events in order and removes what it says was published."""
    async with opened_pool(database_url) as pool:
        scene = await with_events(pool)
        outbox = Outbox(pool, new_id(), lease_seconds=HOUR)
        assert len(await outbox.lease()) == SHARDS
        assert await outbox.lease() == frozenset()
        events = await outbox.waiting(10)
        assert [event.quiz_session_id for event in events] == [scene.session_id] * 3
        assert [event.id for event in events] == sorted(event.id for event in events)
        assert await outbox.remove(events[:2]) == 2
        assert [event.id for event in await outbox.waiting(10)] == [events[2].id]


async def test_second_worker_waits_for_the_lease_to_end(database_url):
    """While a lease lasts nobody else gets the shard; released, it goes at once."""
    async with opened_pool(database_url) as pool:
        first, second = (Outbox(pool, new_id(), lease_seconds=HOUR) for _ in range(2))
        await first.lease()
        assert await second.lease() == frozenset()
        assert await second.waiting(10) == []
        await first.release()
        assert len(await second.lease()) == SHARDS


async def test_late_owner_removes_nothing(database_url):
    """An owner that slept through the end of its lease finds its events' version raised."""
    async with opened_pool(database_url) as pool:
        await with_events(pool)
        late, successor = Outbox(pool, new_id(), lease_seconds=0.0), Outbox(pool, new_id(), lease_seconds=HOUR)
        await late.lease()
        held = await late.waiting(10)
        await successor.lease()
        assert await late.remove(held) == 0
        assert await outbox_depth(pool) == 3
        assert await successor.remove(await successor.waiting(10)) == 3


async def test_owner_that_comes_back_reads_the_new_versions(database_url):
    """Whoever takes a shard (again) can remove what waits there."""
    async with opened_pool(database_url) as pool:
        await with_events(pool)
        first, second = Outbox(pool, new_id(), lease_seconds=0.0), Outbox(pool, new_id(), lease_seconds=0.0)
        await first.lease()
        await second.lease()
        assert len(await first.lease()) == SHARDS
        assert await first.remove(await first.waiting(10)) == 3
