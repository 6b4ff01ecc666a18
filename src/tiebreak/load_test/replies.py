"""What the system answers, as far as a load test wants to know it; unknown fields are passed over."""

from __future__ import annotations

from typing import TypeAlias, TypeVar

import msgspec

from tiebreak.load_test.content import Submission


class Problem(msgspec.Struct, frozen=True):
    """A problem document (RFC 9457)."""

    code: str = ""
    title: str = ""
    detail: str = ""


class Tokens(msgspec.Struct, frozen=True):
    """A log-in."""

    access_token: str
    refresh_token: str
    expires_in: float


class QuizStored(msgspec.Struct, frozen=True):
    """A new quiz."""

    quiz_id: str
    question_ids: list[str]


class Opened(msgspec.Struct, frozen=True):
    """A new session."""

    quiz_session_id: str


class Joined(msgspec.Struct, frozen=True):
    """A place in a session."""

    quiz_session_participant_id: str


class Answered(msgspec.Struct, frozen=True):
    """An answer in the ledger."""

    answer: Submission
    correct: bool
    score: int


class SessionQuestion(msgspec.Struct, frozen=True):
    """A question as a participant sees it."""

    question_id: str
    answered: Answered | None = None


class Me(msgspec.Struct, frozen=True):
    """The caller as participant."""

    quiz_session_participant_id: str


class SessionQuestions(msgspec.Struct, frozen=True):
    """A session's questions, with what the caller answered."""

    questions: list[SessionQuestion]
    me: Me | None = None


class SessionView(msgspec.Struct, frozen=True):
    """What anybody may know of a session."""

    answer_count: int
    participant_count: int


class Row(msgspec.Struct, frozen=True):
    """One participant on a board; `score` is the total."""

    rank: int
    quiz_session_participant_id: str
    name: str
    score: int


class Leaderboard(msgspec.Struct, frozen=True):
    """A board, or a part of it."""

    epoch: str
    version: int
    participants: int
    rows: list[Row]


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """What every message is acknowledged with."""

    ok: bool
    code: str = ""
    title: str = ""


class Snapshot(Acknowledgement, frozen=True, kw_only=True):
    """The acknowledgement of `enter_session`."""

    epoch: str = ""
    version: int = 0
    participants: int = 0
    rows: list[Row] = []

    def board(self) -> Leaderboard:
        return Leaderboard(self.epoch, self.version, self.participants, self.rows)


class AnswerTaken(Acknowledgement, frozen=True, kw_only=True):
    """The acknowledgement of `update_score`."""

    correct: bool = False
    score: int = 0


class Recorded(msgspec.Struct, frozen=True):
    """The answer is committed: the 200 of an answer."""

    correct: bool
    score: int


class Refused(msgspec.Struct, frozen=True):
    """The answer does not count, and trying again would not help."""

    code: str


class Again(msgspec.Struct, frozen=True):
    """Nobody knows whether it counts: the same answer, with the same answer_id, is to be sent again."""

    reason: str
    after_seconds: float = 0.0


Outcome: TypeAlias = Recorded | Refused | Again

Described = TypeVar("Described")


def decoded(body: bytes, described: type[Described]) -> Described | None:
    """The JSON as this type; None if it is something else (a proxy's own page)."""
    try:
        return msgspec.json.decode(body, type=described)
    except msgspec.DecodeError:
        return None
