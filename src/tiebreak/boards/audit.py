"""Compares boards with the ledger: points, order, ties and names, of every participant."""

from __future__ import annotations

import msgspec

from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.clock import Clock
from tiebreak.database.answers import ledger_standings
from tiebreak.database.pool import Pool
from tiebreak.quiz.model import ParticipantId, QuizSessionId
from tiebreak.quiz.ranking import Standing

# An answer is on its way from the ledger to the board for a tenth of a second; longer after something was killed.
SETTLE_SECONDS = 10.0
LOOK_SECONDS = 1.0


class Difference(msgspec.Struct, frozen=True):
    """A participant of whom ledger and board say different things; None where one of them says nothing."""

    participant_id: ParticipantId
    ledger: Standing | None
    board: Standing | None


class Auditor:
    """Looks at one session after the other."""

    def __init__(self, pool: Pool, leaderboards: Leaderboards, clock: Clock) -> None:
        self._pool = pool
        self._leaderboards = leaderboards
        self._clock = clock

    async def differences(
        self, quiz_session_id: QuizSessionId, *, settle_seconds: float = SETTLE_SECONDS
    ) -> list[Difference] | None:
        """What differs, and goes on to differ for `settle_seconds`; None if there is no whole board to compare.

        Equal standings of all participants are equal points, order and ties: the standing is what is ordered by.
        """
        until = self._clock.monotonic() + settle_seconds
        found = await self._look(quiz_session_id)
        while found and self._clock.monotonic() < until:
            await self._clock.sleep(LOOK_SECONDS)
            now = await self._look(quiz_session_id)
            if now is None:
                return None
            # Answers that came meanwhile begin to settle only now; they are left to the next audit.
            found = {it: now[it] for it, was in found.items() if it in now and now[it].ledger == was.ledger}
        return None if found is None else list(found.values())

    async def _look(self, quiz_session_id: QuizSessionId) -> dict[ParticipantId, Difference] | None:
        # The board first: what is on it is in a ledger that is read later.
        board = await self._leaderboards.standings(quiz_session_id)
        if board is None:
            return None
        ledger = await ledger_standings(self._pool, quiz_session_id)
        return {
            it: Difference(it, ledger.get(it), board.get(it))
            for it in ledger.keys() | board.keys()
            if ledger.get(it) != board.get(it)
        }
