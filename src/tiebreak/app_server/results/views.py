"""Results as they are shown, and as results.json has them."""

from __future__ import annotations

import msgspec

from tiebreak.database.quiz_sessions import Mode, State
from tiebreak.quiz.model import ParticipantId, QuestionId, QuizSessionId
from tiebreak.quiz.statistics import Share


class ResultsSession(msgspec.Struct, frozen=True):
    """Which session, and how it was played; `participant_count`: without those who were removed."""

    quiz_session_id: QuizSessionId
    title: str
    language: str
    mode: Mode
    state: State
    scoring: str
    teams: list[str]
    opened_at: int
    closed_at: int | None
    participant_count: int


class QuestionResults(msgspec.Struct, frozen=True):
    """A question and what became of it; `position` from 1.

    `right` and `share_right`, of those who answered, are null where nothing is right or wrong. Times are those from the
    opening of a live question to the answer. A live question that is not shut yet shows no answers, nor what is right.
    """

    question_id: QuestionId
    position: int
    type: str
    prompt: str
    right_answer: str | None
    points: int
    time_limit_ms: int | None
    asked: bool
    answered: int
    right: int | None
    share_right: float | None
    median_ms: int | None
    mean_ms: int | None
    distribution: list[Share]


class AnswerResults(msgspec.Struct, frozen=True, gc=False):
    """An answer as text; `correct` is null where nothing is right or wrong, `response_ms` in self-paced sessions."""

    answer: str
    correct: bool | None
    score: int
    response_ms: int | None


class ParticipantResults(msgspec.Struct, frozen=True):
    """A participant; `rank` is the board's: null for who has answered nothing, or was removed."""

    rank: int | None
    quiz_session_participant_id: ParticipantId
    name: str
    team: str | None
    removed: bool
    score: int
    right: int
    answered: int
    answers: dict[QuestionId, AnswerResults]


class Results(msgspec.Struct, frozen=True):
    """All of it, or a part of the participants (of `count`): by rank, then those without one, then those removed.

    `hardest`: questions by the share of right answers, the smallest first.
    """

    session: ResultsSession
    questions: list[QuestionResults]
    hardest: list[QuestionId]
    count: int
    participants: list[ParticipantResults]
