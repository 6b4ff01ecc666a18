"""What a room is told of a live game (docs/live.md). Durations, never times: a phone's clock means nothing."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from tiebreak.quiz.live import Phase
from tiebreak.quiz.model import QuestionId, QuestionImage, QuizSessionId, Submission
from tiebreak.quiz.options import Phones
from tiebreak.quiz.ranking import Leaderboard
from tiebreak.quiz.scoring import Policy
from tiebreak.quiz.teams import TeamRow

# An index, indexes, a bool, a number, or the accepted strings.
Key = bool | int | float | list[int | str]


class LiveQuestion(msgspec.Struct, frozen=True):
    """The question under way, as every screen may see it. No choices while it is only announced."""

    question_id: QuestionId
    type: str
    prompt: str
    choices: list[str] | None
    image: QuestionImage | None
    points: int
    time_limit_ms: int


class Count(msgspec.Struct, frozen=True):
    """How many gave an answer."""

    answer: Submission
    count: int


class Reveal(msgspec.Struct, frozen=True):
    """What was right, and what the room answered."""

    right_answer: Key | None
    explanation: str | None
    distribution: list[Count]
    answered: int
    right: int


class GameView(msgspec.Struct, frozen=True):
    """Where a live game stands. Of two the one with the higher `step` is newer."""

    quiz_session_id: QuizSessionId
    step: int
    phase: Phase
    title: str
    language: str
    question_index: int | None
    question_count: int
    question: LiveQuestion | None
    opens_in_ms: int | None
    closes_in_ms: int | None
    next_in_ms: int | None
    paused: bool
    auto_advance: bool
    locked: bool
    answered: int
    players: int
    scoring: Policy
    phones: Phones
    teams: list[str]
    reveal: Reveal | None
    team_board: list[TeamRow] | None
    pin: str | None


class LiveSnapshot(Leaderboard, frozen=True, omit_defaults=True):
    """What a live session's room is entered with: its board, and its game."""

    game: GameView | None = None


class GameUpdate(msgspec.Struct, frozen=True):
    """The game has taken a step, or more is known of it."""

    event: ClassVar[str] = "game_update"
    game: GameView


class ProgressUpdate(msgspec.Struct, frozen=True):
    """How many have answered the question under way."""

    event: ClassVar[str] = "progress_update"
    quiz_session_id: QuizSessionId
    step: int
    answered: int
    players: int
