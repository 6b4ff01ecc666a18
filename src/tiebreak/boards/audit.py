"""Compares boards with the ledger: points, order, ties and names, of every participant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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


class Audit(msgspec.Struct, frozen=True):
    """What was found. `missing`: sessions without a whole board to compare."""

    differing: Mapping[QuizSessionId, Sequence[Difference]]
    missing: Sequence[QuizSessionId]


class Auditor:
    """Looks at sessions, and again at those where something differs."""

    def __init__(self, pool: Pool, leaderboards: Leaderboards, clock: Clock) -> None:
        self._pool = pool
        self._leaderboards = leaderboards
        self._clock = clock

    async def audit(
        self, quiz_session_ids: Iterable[QuizSessionId], *, settle_seconds: float = SETTLE_SECONDS
    ) -> Audit:
        """What differs, and goes on to differ for `settle_seconds`.

        Equal standings of all participants are equal points, order and ties: the standing is what is ordered by.
        """
        missing: list[QuizSessionId] = []
        suspects: dict[QuizSessionId, dict[ParticipantId, Difference]] = {}
        for quiz_session_id in quiz_session_ids:
            found = await self._look(quiz_session_id)
            if found is None:
                missing.append(quiz_session_id)
            elif found:
                suspects[quiz_session_id] = found
        until = self._clock.monotonic() + settle_seconds
        while suspects and self._clock.monotonic() < until:
            await self._clock.sleep(LOOK_SECONDS)
            again = {it: still(found, await self._look(it) or {}) for it, found in suspects.items()}
            suspects = {it: found for it, found in again.items() if found}
        return Audit({it: list(found.values()) for it, found in suspects.items()}, missing)

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


def still(
    was: Mapping[ParticipantId, Difference], now: Mapping[ParticipantId, Difference]
) -> dict[ParticipantId, Difference]:
    """Those who differ still; who has answered meanwhile begins to settle only now, and is left to the next audit."""
    return {it: now[it] for it, before in was.items() if it in now and now[it].ledger == before.ledger}
