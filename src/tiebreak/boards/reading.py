"""Leaderboards as the app server shows them: from the cache, or built from the ledger where the cache has none."""

from __future__ import annotations

import asyncio

import structlog

from tiebreak.boards.rebuild import TRIES, Rebuilder
from tiebreak.cache.leaderboard import TOP_ROWS, Leaderboards
from tiebreak.database.pool import FAILURES, Pool
from tiebreak.database.quiz_sessions import find_participant
from tiebreak.errors import BoardLost
from tiebreak.quiz.model import ParticipantId, QuizSessionId, UserId
from tiebreak.quiz.ranking import Leaderboard
from tiebreak.redis_client import OUTAGES, RedisError
from tiebreak.single_flight import SingleFlight

log = structlog.get_logger()

OPEN_SECONDS = 2.0


class Boards:
    """Reads leaderboards."""

    def __init__(self, pool: Pool, leaderboards: Leaderboards, rebuilder: Rebuilder) -> None:
        self._pool = pool
        self._leaderboards = leaderboards
        self._rebuilder = rebuilder
        self._rebuilds: SingleFlight[QuizSessionId, bool] = SingleFlight()

    async def open(self, quiz_session_id: QuizSessionId) -> None:
        """Have a board for a session that nobody knows of yet; without Redis it is built when it is needed.

        From the ledger, though there is nothing in it: by the time we come to Redis, there may be.
        """
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self._rebuilder.make_whole(quiz_session_id)
        except (*OUTAGES, *FAILURES, RedisError, BoardLost) as error:
            log.warning("board.not_opened", quiz_session_id=str(quiz_session_id), error=str(error))

    async def renew(self, quiz_session_id: QuizSessionId) -> None:
        """Build it anew, under another epoch, and show it: the ledger has other participants, or other names, now.

        Raises what Rebuilder.make_whole raises. Not shared with whoever else builds it: that ledger may be from before.
        """
        await self._rebuilder.make_whole(quiz_session_id, anew=True)

    async def read(
        self,
        quiz_session_id: QuizSessionId,
        user_id: UserId,
        *,
        limit: int = TOP_ROWS,
        offset: int = 0,
        around_me: bool = False,
    ) -> Leaderboard:
        """`limit` rows from `offset` or around the user's own, and the user's own row if on the board.

        A session that does not exist has an empty board, version 0 of epoch "".
        """
        participant = await find_participant(self._pool, quiz_session_id, user_id)
        me = participant.id if participant else None
        return await self._read(quiz_session_id, limit=limit, offset=offset, me=me, around_me=around_me)

    async def top(self, quiz_session_id: QuizSessionId) -> Leaderboard:
        """What everybody in the room sees."""
        return await self._read(quiz_session_id, limit=TOP_ROWS, offset=0, me=None, around_me=False)

    async def _read(
        self, quiz_session_id: QuizSessionId, *, limit: int, offset: int, me: ParticipantId | None, around_me: bool
    ) -> Leaderboard:
        async def cached() -> Leaderboard | None:
            return await self._leaderboards.read(
                quiz_session_id, limit=limit, offset=offset, me=me, around_me=around_me
            )

        if board := await cached():
            return board
        for _ in range(TRIES):
            # A board is missing for a whole room at once.
            if not await self._rebuilds.do(quiz_session_id, lambda: self._rebuilder.make_whole(quiz_session_id)):
                return Leaderboard(quiz_session_id, epoch="", version=0, participants=0, rows=())
            if board := await cached():
                return board
        raise BoardLost(f"Redis lost the board of {quiz_session_id} as soon as it was built, {TRIES} times.")
