"""Whether a log and the ledger still say what a receipt stands for. Pure: it is shown the log, answer by answer."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tiebreak.answer_log.moments import moment_text
from tiebreak.database.answer_log import LogEnd, LoggedAnswer
from tiebreak.quiz.model import AnswerId
from tiebreak.quiz.receipts import Receipt, empty_log, leaf_of, next_digest

# More than that say nothing more.
MOST_PROBLEMS = 20


class Verdict(msgspec.Struct, frozen=True):
    """What is wrong, in sentences without an end, and how many more there are; nothing if the receipt holds.

    `before` and `after`: so many answers of the session's log.
    """

    problems: Sequence[str]
    more_problems: int
    before: int
    after: int


class Verification:
    """Follows a session's log from its beginning. Keeps one link at a time, so logs may be of any length."""

    def __init__(self, receipt: Receipt) -> None:
        self._receipt = receipt
        # None behind a gap: nothing is known that the next link could follow.
        self._digest: bytes | None = empty_log(receipt.quiz_session_id)
        self._position = 0
        self._stated: list[bytes] = []
        self._found: list[bytes] = []
        self._strange_answers: list[str] = []
        self._seen = False
        self._problems: list[str] = []
        self._more_problems = 0

    def take(self, answer: LoggedAnswer) -> None:
        """The next answer of the log."""
        if answer.number == 1:
            self._begin_link(answer)
        self._position += 1
        found = self._leaf(answer)
        if found != answer.leaf:
            fate = "was changed in the ledger" if answer.in_ledger else "is missing from the ledger"
            self._strange_answers.append(f"answer {answer.id} at position {self._position} {fate}")
        self._stated.append(answer.leaf)
        self._found.append(found)
        if self._position == self._receipt.position:
            self._compare(answer)
        if answer.number == answer.length:
            self._end_link(answer)

    def verdict(self, end: LogEnd | None, not_logged: Sequence[AnswerId]) -> Verdict:
        """After the last answer: `end` is where the log says it ends, `not_logged` what only the ledger has."""
        last = LogEnd(self._position, self._digest or b"")
        if end is None:
            self._tell("the session's log has no end")
        elif end.length != last.length:
            self._tell(f"the log should have {end.length} answers, but its links have {last.length}")
        elif end.digest != last.digest:
            self._tell("the log's last link is not the one that it ends with")
        if not self._seen:
            self._tell(f"the log has nothing at the receipt's position {self._receipt.position}")
        for answer_id in not_logged:
            self._tell(f"answer {answer_id} is in the ledger, but not in the log")
        before = self._receipt.position - 1
        return Verdict(self._problems, self._more_problems, before, self._position - self._receipt.position)

    def _begin_link(self, answer: LoggedAnswer) -> None:
        before = answer.link_position - answer.length
        if before > self._position:
            self._tell(f"the link of {positions(self._position + 1, before)} is missing from the log")
            self._digest = None
        elif before < self._position:
            self._tell(f"two links of the log have {positions(before + 1, self._position)}")
            self._digest = None
        self._position = before
        self._stated, self._found, self._strange_answers = [], [], []

    def _leaf(self, answer: LoggedAnswer) -> bytes:
        """By what the ledger has; nothing if that is of another session."""
        found = answer.in_ledger
        if found is None or found.quiz_session_id != self._receipt.quiz_session_id:
            return b""
        return leaf_of(
            answer.id,
            found.participant_id,
            found.question_id,
            correct=found.correct,
            score=found.score,
            answered_at_us=found.answered_at_us,
            answer=found.answer,
        )

    def _compare(self, answer: LoggedAnswer) -> None:
        self._seen = True
        receipt, found = self._receipt, answer.in_ledger
        if answer.id != receipt.answer_id:
            self._tell(f"the log has answer {answer.id} at the receipt's position {receipt.position}")
        if answer.digest != receipt.digest:
            self._tell("the log's digest is not the receipt's there: the log was written anew since")
        elif found and found.answered_at_us // 1_000 != receipt.accepted_at_ms:
            self._tell(f"the ledger says it was accepted at {moment_text(found.answered_at_us // 1_000)}")

    def _end_link(self, answer: LoggedAnswer) -> None:
        link = positions(answer.link_position - answer.length + 1, answer.link_position)
        follows = self._digest is None or next_digest(self._digest, b"".join(self._stated)) == answer.digest
        if self._digest and not follows and next_digest(self._digest, b"".join(self._found)) == answer.digest:
            self._tell(f"the link of {link} was changed; its answers were not")
        elif follows and self._strange_answers and sorted(self._stated) == sorted(self._found):
            self._tell(f"the link of {link} has its answers in another order")
        else:
            if not follows:
                self._tell(f"the link of {link} does not follow from what is before it")
            for strange in self._strange_answers:
                self._tell(strange)
        self._digest = answer.digest

    def _tell(self, problem: str) -> None:
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(problem)
        else:
            self._more_problems += 1


def positions(first: int, last: int) -> str:
    return f"position {first}" if first == last else f"positions {first} to {last}"
