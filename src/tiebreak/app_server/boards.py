"""Leaderboards as the app server shows them: from the cache, or built from the ledger where the cache has none."""

from __future__ import annotations

from tiebreak.app_server.single_flight import SingleFlight
from tiebreak.cache.leaderboard import TOP_ROWS, Leaderboards
from tiebreak.database.answers import ledger
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import find_participant, load_session
from tiebreak.quiz.model import ParticipantId, QuizSessionId, UserId
from tiebreak.quiz.ranking import Leaderboard


class Boards:
    """Reads leaderboards."""

    def __init__(self, pool: Pool, leaderboards: Leaderboards) -> None:
        self._pool = pool
        self._leaderboards = leaderboards
        self._rebuilds: SingleFlight[QuizSessionId, bool] = SingleFlight()

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

        A session nobody has answered in yet has an empty board, version 0 of epoch "".
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

        board = await cached()
        # A board is missing for a whole room at once.
        if board is None and await self._rebuilds.do(quiz_session_id, lambda: self._rebuild(quiz_session_id)):
            board = await cached()
        return board or Leaderboard(quiz_session_id, epoch="", version=0, participants=0, rows=())

    async def _rebuild(self, quiz_session_id: QuizSessionId) -> bool:
        """Put the whole ledger on a missing board; False if there is nothing to put there.

        One Lua call, so no partial board is ever seen; answers that arrive over the bus meanwhile are recognised.
        """
        answers = await ledger(self._pool, quiz_session_id)
        if not answers:
            return False
        await self._leaderboards.apply({quiz_session_id: answers})
        session = await load_session(self._pool, quiz_session_id)
        if session and session.state == "finished":
            await self._leaderboards.expire(quiz_session_id)
        return True
