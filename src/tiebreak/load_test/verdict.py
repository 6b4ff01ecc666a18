"""Whether what was acknowledged is what the system has: pure comparisons of what was sent with what is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tiebreak.load_test.player import Given
from tiebreak.load_test.replies import Answered, Row

MAX_EXAMPLES = 5


class Verdict(msgspec.Struct):
    """Counts of what is not as it should be; all 0 but `counted` when nothing was lost."""

    # Answers in the ledger.
    counted: int = 0
    # Acknowledged, and not in the ledger.
    lost: int = 0
    # In the ledger with another answer or score than was sent or acknowledged.
    altered: int = 0
    # In the ledger, and never sent, or refused.
    unsent: int = 0
    # Counted by the session beyond the answers that its participants are shown (or short of them).
    doubled: int = 0
    # Never acknowledged, and counted once all the same: allowed, since the sender does not know.
    unacknowledged_but_counted: int = 0
    # Rows that are missing, doubled, nobody's, or have another total than the ledger.
    board_rows_wrong: int = 0
    # Rows out of order, or with a rank that does not follow from those above.
    board_ranks_wrong: int = 0
    # Players whose last board is not the final one.
    screens_behind: int = 0
    # Some of it in words.
    examples: list[str] = []

    @property
    def board_is_ledger(self) -> bool:
        return not (self.board_rows_wrong or self.board_ranks_wrong)

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing twice, nothing else there, and everybody shown the final board."""
        wrong = self.lost + self.altered + self.unsent + self.doubled + self.screens_behind
        return not wrong and self.board_is_ledger

    def add(self, other: Verdict) -> None:
        """Take over what was found elsewhere."""
        for name, found in msgspec.structs.asdict(other).items():
            if name == "examples":
                self.examples = (self.examples + other.examples)[:MAX_EXAMPLES]
            else:
                setattr(self, name, getattr(self, name) + found)

    def note(self, example: str) -> None:
        """Keep the first few examples."""
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(example)


def compare_answers(verdict: Verdict, who: str, given: Sequence[Given], found: Mapping[str, Answered]) -> int:
    """One player's answers with those in the ledger, by question. Returns the player's total in the ledger."""
    left = dict(found)
    for sent in given:
        there = left.pop(sent.question_id, None)
        if there is None:
            if sent.recorded:
                verdict.lost += 1
                verdict.note(f"{who}: the answer {sent.answer_id} was acknowledged and is not in the ledger")
            continue
        verdict.counted += 1
        if sent.refused:
            verdict.unsent += 1
            verdict.note(f"{who}: the answer {sent.answer_id} was refused ({sent.refused}) and is in the ledger")
        elif not sent.recorded:
            verdict.unacknowledged_but_counted += 1
        scores = {there.score, sent.score, sent.recorded.score if sent.recorded else sent.score}
        if there.answer != sent.answer or type(there.answer) is not type(sent.answer) or len(scores) > 1:
            verdict.altered += 1
            verdict.note(f"{who}: the answer {sent.answer_id} is not in the ledger as it was sent")
    for question_id in left:
        verdict.counted += 1
        verdict.unsent += 1
        verdict.note(f"{who}: an answer to question {question_id} is in the ledger and was never sent")
    return sum(answered.score for answered in found.values())


def compare_board(
    verdict: Verdict,
    totals: Mapping[str, int],
    participants: int,
    rows: Sequence[Row],
    *,
    time_decides: bool = True,
) -> None:
    """A whole leaderboard with the totals of everybody who has an answer in the ledger."""
    left = dict(totals)
    for row in rows:
        total = left.pop(row.quiz_session_participant_id, None)
        if total != row.score:
            verdict.board_rows_wrong += 1
            verdict.note(
                f"{row.name} has {row.score} points on the board and "
                + ("no place there (or a second one)" if total is None else f"{total} in the ledger")
            )
    for participant_id in left:
        verdict.board_rows_wrong += 1
        verdict.note(f"participant {participant_id} has answered and is not on the board")
    if participants != len(rows):
        verdict.board_rows_wrong += 1
        verdict.note(f"the board counts {participants} participants and shows {len(rows)}")
    compare_ranks(verdict, rows, time_decides=time_decides)


def compare_ranks(verdict: Verdict, rows: Sequence[Row], *, time_decides: bool = True) -> None:
    """Whether ranks follow from the order.

    A row has the rank of its place, or shares that of the row above. It may share only with equal points, and those
    without points must: who has none has not reached anything at any time. Which of two equal totals was reached first
    cannot be told from outside. Where time does not decide, all equal totals share.
    """
    above: Row | None = None
    for place, row in enumerate(rows, start=1):
        shares = above is not None and row.rank == above.rank
        may_share = above is not None and row.score == above.score
        is_in_order = above is None or row.score <= above.score
        must_share = may_share and (row.score == 0 or not time_decides)
        is_right = may_share if shares else row.rank == place and not must_share
        if not (is_right and is_in_order):
            verdict.board_ranks_wrong += 1
            verdict.note(f"{row.name} has rank {row.rank} at place {place} of the board, with {row.score} points")
        above = row
