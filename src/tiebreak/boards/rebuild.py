"""Builds a session's board from the ledger."""

from __future__ import annotations

from itertools import count

import structlog

from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.database.answers import ledger
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import load_session
from tiebreak.errors import BoardLost
from tiebreak.events import ScoreChange
from tiebreak.metrics import BoardMetrics
from tiebreak.quiz.model import QuizSessionId
from tiebreak.socket_adapter.emitter import Emitter
from tiebreak.socket_adapter.messages import LeaderboardUpdating

log = structlog.get_logger()

# One Lua call of 5 ms: nobody else waits longer for Redis.
PART = 1_000
TRIES = 3


class Rebuilder:
    """Makes boards whole, and shows them to their rooms."""

    def __init__(self, pool: Pool, leaderboards: Leaderboards, emitter: Emitter, metrics: BoardMetrics) -> None:
        self._pool = pool
        self._leaderboards = leaderboards
        self._emitter = emitter
        self._metrics = metrics

    async def make_whole(self, quiz_session_id: QuizSessionId, *, anew: bool = False) -> bool:
        """Have a whole board, a new one in any case if `anew`; False if there is no such session.

        Raises BoardLost if Redis loses it again and again, and what Redis and Postgres raise. May be repeated.
        """
        for attempt in range(TRIES):
            # Who has begun another one meanwhile has it from a ledger that is as new as ours, at least.
            begun = await self._leaderboards.begin(quiz_session_id, anew=anew and not attempt)
            if begun.whole:
                return True
            session = await load_session(self._pool, quiz_session_id)
            if session is None:
                await self._leaderboards.drop(quiz_session_id)
                return False
            # Read now, after the board was begun: what comes into the ledger later is on the board by way of the bus.
            answers = await ledger(self._pool, quiz_session_id)
            if await self._fill(quiz_session_id, begun.epoch, answers):
                if session.state == "finished":
                    await self._leaderboards.expire(quiz_session_id)
                if answers:
                    self._metrics.rebuilt.inc()
                    log.info(
                        "board.rebuilt", quiz_session_id=str(quiz_session_id), epoch=begun.epoch, answers=len(answers)
                    )
                await self.show(quiz_session_id, though_empty=anew)
                return True
        raise BoardLost(f"Redis lost the board of {quiz_session_id} while it was built, {TRIES} times.")

    async def _fill(self, quiz_session_id: QuizSessionId, epoch: str, answers: list[ScoreChange]) -> bool:
        for start in count(step=PART):
            last = start + PART >= len(answers)
            if not await self._leaderboards.fill(quiz_session_id, epoch, answers[start : start + PART], last=last):
                return False
            if last:
                break
        return True

    async def show(self, quiz_session_id: QuizSessionId, *, though_empty: bool = False) -> None:
        """To the room, which has the board of another epoch, or none: then there is nothing to see of an empty one."""
        board = await self._leaderboards.read(quiz_session_id)
        if board is not None and (board.participants or though_empty):
            await self._emitter.emit([(quiz_session_id, LeaderboardUpdating(board))])
