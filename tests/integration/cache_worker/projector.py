"""A projection that is stepped by hand, on a real bus and a clock that stands still."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry

from tests.integration.cache.boards import open_board
from tests.standing_clock import StandingClock
from tiebreak.cache.incarnation import Incarnations
from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.cache.wanted_boards import WantedBoards
from tiebreak.cache_worker.projection import Projection
from tiebreak.clock import Clock, SystemClock
from tiebreak.event_bus.bus import Consumer, Message, Producer
from tiebreak.event_bus.streams import StreamsBus, stream_of
from tiebreak.events import TOPIC, ParticipantScoreChange, ScoreChange, encode, key_of
from tiebreak.ids import new_id
from tiebreak.metrics import CacheWorkerMetrics
from tiebreak.quiz.model import AnswerId, ParticipantId, QuestionId, QuizSessionId
from tiebreak.quiz.ranking import opened_at_ms
from tiebreak.redis_client import Redis, open_redis
from tiebreak.socket_adapter.emitter import Emitter
from tiebreak.socket_adapter.redis_streams.stream_names import STREAM

GROUP = "leaderboard"


class Projector:
    """The projection, what goes in, and what comes out."""

    def __init__(self, redis: Redis, projection: Projection, producer: Producer, clock: StandingClock) -> None:
        self.redis = redis
        self.projection = projection
        self.clock = clock
        self._producer = producer

    async def publish(self, session: QuizSessionId, answers: int = 1) -> None:
        """So many answers, each of another participant, in a session that has been opened."""
        await open_board(Leaderboards(self.redis), session)
        messages = [Message(key_of(session), encode(event(session))) for _ in range(answers)]
        assert all(await self._producer.publish(TOPIC, messages))

    async def step(self, *, seconds: float = 0) -> None:
        """Once round the loop, so much later."""
        self.clock.advance(seconds=seconds)
        await self.projection.step()

    async def answered(self, session: QuizSessionId, answers: int = 1) -> None:
        """Published, and taken up by the projection."""
        await self.publish(session, answers)
        await self.step()

    async def stopped(self) -> None:
        """It was asked to stop, and has."""
        stop = asyncio.Event()
        stop.set()
        await self.projection.run(stop)

    async def told(self, session: QuizSessionId) -> list[int]:
        """The versions of the boards that the room was sent."""
        packets = [json.loads(fields[b"data"])["packet"]["data"] for _, fields in await self.redis.xrange(STREAM)]
        return [board["version"] for _, board in packets if board["quiz_session_id"] == str(session)]

    async def uncommitted(self) -> int:
        """How many records the bus would give to the next reader again."""
        return (await self.redis.xpending(stream_of(TOPIC, 0), GROUP))["pending"]


def event(session: QuizSessionId) -> ParticipantScoreChange:
    change = ScoreChange(
        participant_answer_id=AnswerId(new_id()),
        quiz_session_id=session,
        quiz_session_participant_id=ParticipantId(new_id()),
        name="Somebody",
        question_id=QuestionId(new_id()),
        score=100,
        answered_at_ms=opened_at_ms(session) + 1_000,
    )
    return ParticipantScoreChange(id=new_id(), payload=change)


def new_sessions(count: int) -> Sequence[QuizSessionId]:
    return [QuizSessionId(new_id()) for _ in range(count)]


def projection_on(redis: Redis, consumer: Consumer, graveyard: Producer, clock: Clock | None = None) -> Projection:
    """A projection whose boards and rooms are in this Redis."""
    return Projection(
        consumer,
        graveyard,
        Leaderboards(redis),
        WantedBoards(redis),
        Incarnations(redis),
        Emitter(redis),
        clock or SystemClock(),
        CacheWorkerMetrics(CollectorRegistry()),
    )


@asynccontextmanager
async def projector(redis_url: str) -> AsyncIterator[Projector]:
    redis = await open_redis(redis_url)
    bus = StreamsBus(redis, partitions=1, retention_hours=1)
    producer, clock = await bus.producer(), StandingClock()
    consumer = await bus.consumer(TOPIC, group=GROUP)
    projection = projection_on(redis, consumer, producer, clock)
    # Its first poll looks for what readers before it left behind.
    await projection.step()
    try:
        yield Projector(redis, projection, producer, clock)
    finally:
        await redis.aclose()
