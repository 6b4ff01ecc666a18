"""How much there is in sessions: counted at most about once a second each, however many ask.

Counting walks through a session's whole ledger, and anybody may ask for it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import msgspec

from tiebreak.clock import Clock
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import QuizSession, SessionCounts, count_sessions
from tiebreak.quiz.model import QuizSessionId
from tiebreak.single_flight import take_note

REMEMBERED_SECONDS = 1.0
MAX_SESSIONS = 1_000


class Counted(msgspec.Struct, frozen=True):
    """The counts of sessions that were counted in one statement, and when that was done (Clock.monotonic)."""

    counts: Mapping[QuizSessionId, SessionCounts]
    at: float


class CountedSessions:
    """Counts by session; those counted longest ago are forgotten first."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._countings: OrderedDict[QuizSessionId, asyncio.Task[Counted]] = OrderedDict()

    async def of(self, sessions: Sequence[QuizSession]) -> list[SessionCounts]:
        """The counts of each, in the same order. Asked for at once, a session is counted once."""
        if missing := [session for session in sessions if not self._is_known(session.id)]:
            counting = asyncio.create_task(self._count(missing))
            counting.add_done_callback(take_note)
            for session in missing:
                self._countings[session.id] = counting
                self._countings.move_to_end(session.id)
        countings = [(session.id, self._countings[session.id]) for session in sessions]
        while len(self._countings) > MAX_SESSIONS:
            self._countings.popitem(last=False)
        return [(await asyncio.shield(counting)).counts[session_id] for session_id, counting in countings]

    def _is_known(self, quiz_session_id: QuizSessionId) -> bool:
        counting = self._countings.get(quiz_session_id)
        if counting is None or not counting.done():
            return counting is not None
        if counting.cancelled() or counting.exception():
            return False
        return self._clock.monotonic() - counting.result().at < REMEMBERED_SECONDS

    async def _count(self, sessions: Sequence[QuizSession]) -> Counted:
        counts = await count_sessions(self._pool, sessions)
        return Counted({session.id: it for session, it in zip(sessions, counts, strict=True)}, self._clock.monotonic())
