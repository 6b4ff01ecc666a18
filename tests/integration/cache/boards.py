"""Leaderboards on the test's Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry

from tiebreak.boards.reading import Boards
from tiebreak.boards.rebuild import Rebuilder
from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.database.pool import Pool
from tiebreak.metrics import BoardMetrics
from tiebreak.quiz.model import QuizSessionId
from tiebreak.redis_client import Redis, open_redis
from tiebreak.socket_adapter.emitter import Emitter


@asynccontextmanager
async def opened_leaderboards(redis_url: str) -> AsyncIterator[tuple[Leaderboards, Redis]]:
    redis = await open_redis(redis_url)
    try:
        yield Leaderboards(redis), redis
    finally:
        await redis.aclose()


def rebuilder(pool: Pool, redis: Redis) -> Rebuilder:
    return Rebuilder(pool, Leaderboards(redis), Emitter(redis), BoardMetrics(CollectorRegistry()))


def boards_of(pool: Pool, redis: Redis) -> Boards:
    return Boards(pool, Leaderboards(redis), rebuilder(pool, redis))


async def open_board(leaderboards: Leaderboards, quiz_session_id: QuizSessionId, *, anew: bool = False) -> None:
    """An empty, whole board, of a session in which nobody has answered."""
    begun = await leaderboards.begin(quiz_session_id, anew=anew)
    if not begun.whole:
        assert await leaderboards.fill(quiz_session_id, begun.epoch, [], last=True)
