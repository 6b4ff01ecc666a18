"""Another Redis takes over, and not everybody notices at once."""

from tests.contract.buses import mortal_bus
from tests.integration.boards.stage import Stage
from tests.integration.cache.boards import rebuilder
from tests.integration.cache_worker.projector import projection_on
from tests.redis_failover import address_of
from tests.scene import opened_pool
from tests.standing_clock import StandingClock
from tiebreak.cache.incarnation import Incarnations
from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.cache.wanted_boards import WantedBoards
from tiebreak.cache_worker.projection import Projection
from tiebreak.database.answers import standings
from tiebreak.event_bus.bus import Message, Producer
from tiebreak.event_bus.streams import StreamsBus
from tiebreak.events import TOPIC, ParticipantScoreChange, ScoreChange, encode, key_of
from tiebreak.ids import new_id
from tiebreak.quiz.model import QuizSessionId
from tiebreak.redis_client import open_redis


async def publish(producer: Producer, changes: list[ScoreChange]) -> None:
    events = [ParticipantScoreChange(id=new_id(), payload=change) for change in changes]
    messages = [Message(key_of(event.payload.quiz_session_id), encode(event)) for event in events]
    assert all(await producer.publish(TOPIC, messages))


async def answers_on(leaderboards: Leaderboards, session: QuizSessionId, projection: Projection, count: int) -> None:
    """The projection has put so many answers on this board."""
    for _ in range(100):
        if sum(it.score for it in (await leaderboards.standings(session) or {}).values()) == count * 100:
            return
        await projection.step()
    raise AssertionError(f"{count} right answers did not come to the board")


async def test_a_worker_that_notices_late_goes_back_in_the_log(database_url, redis_url, redis_7_url):
    """The board was built on the new Redis while the worker still wrote to the old one, and committed what it wrote."""
    clock = StandingClock()
    async with mortal_bus("streams") as (_, new_url):
        bus_redis, old, new = [await open_redis(url) for url in (redis_url, redis_7_url, new_url)]
        await old.flushall()
        bus = StreamsBus(bus_redis, partitions=1, retention_hours=1)
        producer, consumer = await bus.producer(), await bus.consumer(TOPIC, group="leaderboard")
        async with opened_pool(database_url) as pool, address_of(redis_7_url) as address:
            workers = await open_redis(address.url)
            stage = await Stage.set(pool, old)
            session = stage.scene.session_id
            projection = projection_on(workers, consumer, producer, clock)
            await publish(producer, await stage.answer(0))
            await answers_on(stage.leaderboards, session, projection, 2)

            # The app servers have moved.
            await Incarnations(new).current()
            assert await rebuilder(pool, new).make_whole(session)
            await publish(producer, await stage.answer(1))
            await answers_on(stage.leaderboards, session, projection, 4)
            clock.advance(seconds=0.5)
            await projection.step()
            pending = await bus_redis.xpending("bus:{participant_score_change:0}", "leaderboard")
            assert pending["pending"] == 0

            address.take_over(new_url)
            clock.advance(seconds=1)
            await answers_on(Leaderboards(new), session, projection, 4)
            board = await Leaderboards(new).read(session, limit=100)
            assert board
            assert list(board.rows) == await standings(pool, session)
            await workers.aclose()
        for redis in (bus_redis, old, new):
            await redis.aclose()


async def test_a_worker_asks_for_boards_that_redis_lost(database_url, redis_url):
    """What it applies begins a partial board; it commits, and leaves the rest to whoever knows the ledger."""
    redis = await open_redis(redis_url)
    bus = StreamsBus(redis, partitions=1, retention_hours=1)
    producer, consumer = await bus.producer(), await bus.consumer(TOPIC, group="leaderboard")
    async with opened_pool(database_url) as pool:
        stage = await Stage.set(pool, redis)
        await stage.answer(0)
        await stage.redis.unlink(*[key async for key in redis.scan_iter("{*")])
        await publish(producer, await stage.answer(1))
        projection = projection_on(redis, consumer, producer, StandingClock())
        wanted = WantedBoards(redis)
        claims = []
        for _ in range(20):
            await projection.step()
            if claims := await wanted.take(10):
                break
        assert [it.quiz_session_id for it in claims] == [stage.scene.session_id]
        assert await stage.shown() is None
        assert await stage.told() == []
        await stage.make_whole()
        assert await stage.board_is_ledger()
    await redis.aclose()
