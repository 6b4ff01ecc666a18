"""A session's answer log, as answer_logs and answer_links have it (docs/receipts.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from tiebreak.quiz.model import QuizSessionId
from tiebreak.quiz.receipts import empty_log, leaf_of, next_digest

Row: TypeAlias = dict[str, Any]


class Link(msgspec.Struct):
    """What one statement added. `position` is its last answer's."""

    position: int
    digest: bytes
    ids: list[UUID]
    leaves: bytes


class AnswerLog:
    """Of one session."""

    def __init__(self, session_id: UUID) -> None:
        self.length = 0
        self.digest = empty_log(QuizSessionId(session_id))
        self.links: list[Link] = []

    def add(self, rows: Sequence[Row]) -> None:
        """A statement's new answers, in the order of their ids."""
        rows = sorted(rows, key=lambda it: it["id"])
        leaves = b"".join(map(leaf_of_row, rows))
        self.length += len(rows)
        self.digest = next_digest(self.digest, leaves)
        self.links.append(Link(self.length, self.digest, [it["id"] for it in rows], leaves))

    def place_of(self, id_: UUID) -> tuple[int, bytes] | tuple[None, None]:
        """An answer's position, from 1, and the log's digest after its link."""
        for link in self.links:
            if id_ in link.ids:
                return link.position - len(link.ids) + link.ids.index(id_) + 1, link.digest
        return None, None


def leaf_of_row(row: Row) -> bytes:
    """Of the ledger."""
    return leaf_of(
        row["id"],
        row["participant_id"],
        row["question_id"],
        correct=row["correct"],
        score=row["score"],
        answered_at_us=row["answered_at_ms"] * 1000,
        answer=row["answer"],
    )
