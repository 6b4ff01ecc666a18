"""Outbox → bus → board → room on real servers, and what a crash at each step leaves."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry

from tests.integration.cache.boards import open_board
from tests.integration.cache_worker.projector import projection_on
from tests.scene import Scene, opened_pool
from tiebreak.cache.incarnation import Incarnations
from tiebreak.cache.keys import INCARNATION, board_keys
from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.cache_worker import dead_events
from tiebreak.cache_worker.projection import Projection
from tiebreak.clock import SystemClock
from tiebreak.database.answers import standings
from tiebreak.database.outbox import Outbox, outbox_depth
from tiebreak.database.pool import Pool
from tiebreak.errors import BusUnavailable
from tiebreak.event_bus.bus import Message
from tiebreak.event_bus.streams import StreamsBus, partition_of, stream_of
from tiebreak.events import TOPIC, key_of
from tiebreak.ids import new_id
from tiebreak.metrics import PublisherMetrics
from tiebreak.publisher_worker.relay import Relay
from tiebreak.redis_client import Redis, open_redis
from tiebreak.socket_adapter.redis_streams.stream_names import STREAM

PARTITIONS = 2


@dataclass
class Way:
    """The parts an answer passes."""

    pool: Pool
    redis: Redis
    bus: StreamsBus
    leaderboards: Leaderboards

    async def relay(self, lease_seconds: float = 60.0) -> Relay:
        outbox = Outbox(self.pool, new_id(), lease_seconds=lease_seconds)
        return Relay(outbox, await self.bus.producer(), SystemClock(), PublisherMetrics(CollectorRegistry()))

    async def projection(self, group: str = "leaderboard") -> Projection:
        return projection_on(self.redis, await self.bus.consumer(TOPIC, group=group), await self.bus.producer())

    async def opened(self, points: Sequence[int] = (100, 100, 100)) -> Scene:
        """A session, with its board as the app server opens it."""
        scene = await Scene.set(self.pool, points)
        await open_board(self.leaderboards, scene.session_id)
        return scene

    async def told(self) -> list[dict]:
        """The boards that rooms were sent."""
        packets = [json.loads(fields[b"data"])["packet"]["data"] for _, fields in await self.redis.xrange(STREAM)]
        return [payload for event, payload in packets if event == "leaderboard_updating"]

    async def board_is_ledger(self, scene: Scene) -> bool:
        board = await self.leaderboards.read(scene.session_id, limit=100)
        return board is not None and list(board.rows) == await standings(self.pool, scene.session_id)


@pytest.fixture
async def way(database_url, redis_url) -> AsyncIterator[Way]:
    redis = await open_redis(redis_url)
    await has_been_there_for_an_hour(redis)
    async with opened_pool(database_url) as pool:
        yield Way(pool, redis, StreamsBus(redis, partitions=PARTITIONS, retention_hours=1), Leaderboards(redis))
    await redis.aclose()


async def has_been_there_for_an_hour(redis: Redis) -> None:
    """Nobody goes back in the log for this Redis's sake, which would make good what other safeguards are there for."""
    now_ms = (await Incarnations(redis).current()).now_ms
    await redis.hset(INCARNATION, "since_ms", str(now_ms - 3_600_000))


async def step_until(projection: Projection, done, steps: int = 200) -> None:
    for _ in range(steps):
        await projection.step()
        if await done():
            return
    raise AssertionError("The projection did not get there.")


async def test_answers_reach_the_board_and_the_room(way):
    """All the way: the outbox is empty, the board equals the ledger, and the room was told the last version."""
    scene = await way.opened()
    for name in ("Ann", "Bob"):
        user, _ = await scene.player(name)
        for question in range(3):
            await scene.answer(user, question)
    assert await (await way.relay()).step() == 6
    assert await outbox_depth(way.pool) == 0
    projection = await way.projection()
    await step_until(projection, lambda: way.board_is_ledger(scene))
    board = await way.leaderboards.read(scene.session_id)
    assert board

    async def room_knows() -> bool:
        return any(it["version"] == board.version and it["rows"][0]["score"] == 300 for it in await way.told())

    await step_until(projection, room_knows)


async def test_relay_dies_between_bus_and_outbox(way):
    """Its successor publishes again; the board counts once."""
    scene = await way.opened()
    user, _ = await scene.player()
    await scene.answer(user, 0)
    dying = await way.relay(lease_seconds=0.0)

    async def die(*_: object) -> int:
        raise KeyboardInterrupt

    dying._outbox.remove = die
    with pytest.raises(KeyboardInterrupt):
        await dying.step()
    assert await outbox_depth(way.pool) == 1
    assert await (await way.relay()).step() == 1
    entries = [len(await way.redis.xrange(stream_of(TOPIC, partition))) for partition in range(PARTITIONS)]
    assert sum(entries) == 2
    await step_until(await way.projection(), lambda: way.board_is_ledger(scene))


async def test_relay_is_told_to_stop_while_the_database_is_away(way):
    """It goes in peace; its shards are free when its leases end."""
    relay, stop = await way.relay(), asyncio.Event()
    await relay.step()
    await way.pool.close()
    stop.set()
    await relay.run(stop)


async def test_only_what_the_bus_took_leaves_the_outbox(way):
    """A partition that refuses keeps its events waiting; the others go on."""
    scenes = [await way.opened() for _ in range(12)]
    for scene in scenes:
        user, _ = await scene.player()
        await scene.answer(user, 0)
    await way.redis.set(stream_of(TOPIC, 0), "not a stream")
    refused = [scene for scene in scenes if partition_of(key_of(scene.session_id), PARTITIONS) == 0]
    assert 0 < len(refused) < len(scenes)
    relay = await way.relay()
    assert await relay.step() == len(scenes) - len(refused)
    assert await outbox_depth(way.pool) == len(refused)
    with pytest.raises(BusUnavailable):
        await relay.step()
    await way.redis.delete(stream_of(TOPIC, 0))
    assert await relay.step() == len(refused)

    async def all_boards_are_ledgers() -> bool:
        return all([await way.board_is_ledger(scene) for scene in scenes])

    await step_until(await way.projection(), all_boards_are_ledgers)


async def test_worker_dies_between_board_and_room(way):
    """Its successor gets the same answers again, changes nothing, and tells the room what the dead one did not."""
    scene = await way.opened()
    user, _ = await scene.player()
    await scene.answer(user, 0)
    await (await way.relay()).step()
    dying = await way.projection()

    async def die(messages) -> None:
        if messages:
            raise KeyboardInterrupt

    dying._emitter.emit = die
    with pytest.raises(KeyboardInterrupt):
        await step_until(dying, lambda: asyncio.sleep(0, False))
    assert await way.board_is_ledger(scene)
    assert await way.told() == []
    heir = await way.projection()

    async def room_knows() -> bool:
        return bool(await way.told())

    await step_until(heir, room_knows)
    board = await way.leaderboards.read(scene.session_id)
    assert board
    assert board.version == 1


async def test_room_hears_of_many_answers_in_few_messages(way):
    """Two hundred answers within one tick are one or two boards, not two hundred."""
    scene = await way.opened([1] * 100)
    for name in ("Ann", "Bob"):
        user, _ = await scene.player(name)
        for question in range(100):
            await scene.answer(user, question)
    await (await way.relay()).step()
    projection = await way.projection()
    await step_until(projection, lambda: way.board_is_ledger(scene))
    assert 1 <= len(await way.told()) <= 5


async def test_poison_stops_nobody(way):
    """What is no event, and what a board cannot take, is put aside with its reason; all else goes on."""
    scene, broken = await way.opened(), await way.opened()
    await way.redis.set(board_keys(broken.session_id)[0], "not a sorted set")
    for each in (scene, broken):
        user, _ = await each.player()
        await each.answer(user, 0)
    producer = await way.bus.producer()
    await producer.publish(TOPIC, [Message(key_of(scene.session_id), value) for value in (b"{}", b"\xff", b"nonsense")])
    relay = await way.relay()
    await relay.step()
    user, _ = await scene.player("After")
    await scene.answer(user, 1)
    await relay.step()
    projection = await way.projection()
    await step_until(projection, lambda: way.board_is_ledger(scene))

    async def all_dead() -> bool:
        return len(await dead_events.waiting(way.bus, SystemClock())) == 4

    await step_until(projection, all_dead)
    dead = await dead_events.waiting(way.bus, SystemClock())
    assert [event.reason.partition(" ")[0] for event in dead].count("WRONGTYPE") == 1
    assert {event.value for event in dead} >= {b"{}", b"\xff", b"nonsense"}

    # Mended and sent again, the one that was good all along reaches its board, once.
    await way.redis.delete(board_keys(broken.session_id)[0])
    await open_board(way.leaderboards, broken.session_id, anew=True)
    assert await dead_events.send_again(way.bus, SystemClock()) == 4
    await step_until(projection, lambda: way.board_is_ledger(broken))
    assert await dead_events.send_again(way.bus, SystemClock()) == 3
