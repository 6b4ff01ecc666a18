"""The order of a leaderboard: higher points first, then whoever reached them first; equal in both share a rank.

Redis keeps the order as one double per participant, the *standing*:

    standing = points × 2^32 + (2^32 − 1 − reached_ms)

`reached_ms` runs from the session's opening to the answer that reached the points. It is 0 for no points, and in live
sessions, where time does not decide: equal points share a place. A double
is exact up to 2^53: that is 2,097,151 points and 49.7 days. The same order in SQL is `standings` in
queries.sql, and here `Totals`; tests/consistency holds them together.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from tiebreak.quiz.model import ParticipantId, QuizSessionId

MS_SPAN = 2**32


class Row(msgspec.Struct, frozen=True):
    """One participant on the board. `score` is the total of all answers, as the interface names it."""

    rank: int
    quiz_session_participant_id: ParticipantId
    name: str
    score: int


class Standing(msgspec.Struct, frozen=True):
    """What the order is made of. Two with equal `score` and `reached_ms` share a rank."""

    name: str
    score: int
    reached_ms: int


class Leaderboard(msgspec.Struct, frozen=True, omit_defaults=True):
    """A board, or a part of it, as of one version.

    `version` rises by one with every applied batch; a new `epoch` means the board was built anew, and versions
    of different epochs cannot be compared. `participants` counts those on the board: who have answered.
    """

    quiz_session_id: QuizSessionId
    epoch: str
    version: int
    participants: int
    rows: tuple[Row, ...]
    me: Row | None = None


def reached_ms(opened_at_ms: int, answered_at_ms: int) -> int:
    """Milliseconds into the session, held within what a standing can tell apart.

    Clocks of two app servers may differ: an answer may seem older than its session.
    """
    return min(max(answered_at_ms - opened_at_ms, 0), MS_SPAN - 1)


def standing_of(name: str, number: int) -> Standing:
    """The standing that Redis keeps as a number."""
    return Standing(name, number // MS_SPAN, MS_SPAN - 1 - number % MS_SPAN)


def opened_at_ms(quiz_session_id: UUID) -> int:
    """When a session opened: the time within its UUIDv7 (RFC 9562 §5.7), milliseconds since the epoch.

    So a consumer of the log can place an answer in its session without asking the database.
    """
    return quiz_session_id.int >> 80


class Totals:
    """A session's totals, as its answers are added, in any order."""

    def __init__(self, opened_at_ms: int) -> None:
        self._opened_at_ms = opened_at_ms
        # Name, points, and when they were reached.
        self._totals: dict[ParticipantId, tuple[str, int, int]] = {}

    def add(
        self, participant_id: ParticipantId, name: str, score: int, answered_at_ms: int, *, time_decides: bool = True
    ) -> None:
        """An answer, which must not have been added before. Time decides in all answers of a session, or in none."""
        _, points, reached = self._totals.get(participant_id, (name, 0, 0))
        if score > 0 and time_decides:
            reached = max(reached, reached_ms(self._opened_at_ms, answered_at_ms))
        self._totals[participant_id] = (name, points + score, reached)

    def rows(self) -> list[Row]:
        """The whole leaderboard, in order. Of those who share a rank the greater id comes first, as in Redis."""
        totals = sorted(self._totals.items(), key=lambda total: total[0].int, reverse=True)
        totals.sort(key=lambda total: (-total[1][1], total[1][2]))
        rows: list[Row] = []
        before: tuple[int, int] | None = None
        for place, (participant_id, (name, points, reached)) in enumerate(totals, 1):
            rank = rows[-1].rank if before == (points, reached) else place
            before = (points, reached)
            rows.append(Row(rank, participant_id, name, points))
        return rows
