"""The outbox: one owner per shard, fair shares, and a late owner removes nothing."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from tests.scene import Scene, opened_pool
from tiebreak.database.outbox import Nudges, Outbox, nudge_publishers, outbox_depth, share_out
from tiebreak.events import SHARDS, shard_of
from tiebreak.ids import new_id

HOUR = 3600.0


async def with_events(pool, count=3):
    scene = await Scene.set(pool, [100] * count)
    user, _ = await scene.player()
    for question in range(count):
        await scene.answer(user, question)
    return scene


@given(st.integers(1, 20), st.sets(st.integers(0, SHARDS - 1)))
def test_shares_add_up(live_workers, ours):
    """Nobody holds more than a fair share, nothing is kept and given at once, and all shares cover all shards."""
    shares = share_out(sorted(ours), sorted(set(range(SHARDS)) - ours), live_workers)
    share = -(-SHARDS // live_workers)
    assert len(shares.keep) + len(shares.take) == min(share, SHARDS)
    assert sorted([*shares.keep, *shares.give]) == sorted(ours)
    assert not set(shares.take) & ours
    assert share * live_workers >= SHARDS


async def test_owner_sees_and_removes_its_events(database_url):
    """The first worker gets all shards, reads events in order and removes what it says was published."""
    async with opened_pool(database_url) as pool:
        scene = await with_events(pool)
        outbox = Outbox(pool, new_id(), lease_seconds=HOUR)
        assert len(await outbox.lease()) == SHARDS
        assert await outbox.lease() == []
        events = await outbox.waiting(10)
        assert [event.quiz_session_id for event in events] == [scene.session_id] * 3
        assert [event.id for event in events] == sorted(event.id for event in events)
        assert await outbox.remove(events[:2]) == 2
        assert [event.id for event in await outbox.waiting(10)] == [events[2].id]


async def test_workers_hold_equal_shares(database_url):
    """Shards spread as workers come, go back as they leave, and no shard ever has two owners."""
    async with opened_pool(database_url) as pool:
        workers = [Outbox(pool, new_id(), lease_seconds=HOUR) for _ in range(3)]

        async def settle(workers):
            for _ in range(2):
                for worker in workers:
                    await worker.lease()
            held = [shard for worker in workers for shard in worker.leases]
            assert sorted(held) == list(range(SHARDS))
            return sorted(len(worker.leases) for worker in workers)

        assert await settle(workers[:1]) == [64]
        assert await settle(workers[:2]) == [32, 32]
        assert await settle(workers) == [20, 22, 22]
        await workers[0].leave()
        assert await settle(workers[1:]) == [32, 32]


async def test_late_owner_removes_nothing(database_url):
    """An owner that slept through the end of its lease finds that the lease has a new version."""
    async with opened_pool(database_url) as pool:
        await with_events(pool)
        late, successor = Outbox(pool, new_id(), lease_seconds=0.0), Outbox(pool, new_id(), lease_seconds=HOUR)
        await late.lease()
        held = await late.waiting(10)
        await successor.lease()
        assert await late.remove(held) == 0
        assert await outbox_depth(pool) == 3
        assert await successor.remove(await successor.waiting(10)) == 3


async def test_dead_owner_is_replaced(database_url):
    """A worker that says nothing loses its shards with its lease, and its share with its life."""
    async with opened_pool(database_url) as pool:
        dead, heir = Outbox(pool, new_id(), lease_seconds=0.0), Outbox(pool, new_id(), lease_seconds=HOUR)
        await dead.lease()
        assert len(await heir.lease()) == SHARDS


async def test_a_busy_shard_does_not_starve_the_others(database_url):
    """Shards take turns at being read first, also over the renewal of leases."""
    async with opened_pool(database_url) as pool:
        scenes = [await with_events(pool, 5) for _ in range(5)]
        outbox = Outbox(pool, new_id(), lease_seconds=HOUR)
        await outbox.lease()
        seen: set[int] = set()
        for _ in range(SHARDS):
            seen |= {event.shard for event in await outbox.waiting(2)}
            await outbox.lease()
        assert seen == {shard_of(scene.session_id) for scene in scenes}


async def test_nudge_is_heard_and_heard_again_after_a_loss(database_url):
    """A worker hears that there is something; a connection that was cut is opened anew."""
    heard = asyncio.Event()
    nudges = Nudges(database_url, heard.set)
    async with opened_pool(database_url) as pool, asyncio.timeout(20):
        for _ in range(2):
            await nudges.listen()
            await nudge_publishers(pool)
            await heard.wait()
            heard.clear()
            await pool.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND query LIKE 'LISTEN%'"
            )
            while not nudges._connection.is_closed():
                await asyncio.sleep(0.01)
    await nudges.close()
