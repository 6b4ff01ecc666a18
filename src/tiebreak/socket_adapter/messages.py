"""Every message on a socket, by direction. docs/messages.md describes them for those who write clients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from tiebreak.quiz.model import ParticipantId, QuestionId, QuizSessionId, Submission
from tiebreak.quiz.ranking import Leaderboard
from tiebreak.socket_adapter.live_messages import GameUpdate, ProgressUpdate

Limit = Annotated[int, Meta(ge=1, le=1_000)]
Offset = Annotated[int, Meta(ge=0, le=1_000_000)]


# --- client → server, each with an acknowledgement -------------------------------------------------------------


class EnterSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Receive a session's messages from now on; acknowledged with its leaderboard."""

    event: ClassVar[str] = "enter_session"
    quiz_session_id: QuizSessionId


class LeaveSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Receive them no more."""

    event: ClassVar[str] = "leave_session"
    quiz_session_id: QuizSessionId


class GetLeaderboard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the leaderboard, once."""

    event: ClassVar[str] = "get_leaderboard"
    quiz_session_id: QuizSessionId
    limit: Limit = 10
    offset: Offset = 0
    around: Literal["me"] | None = None


class UpdateScore(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """An answer: the same as the body of POST /update-score. `answer_id` makes a retry safe."""

    event: ClassVar[str] = "update_score"
    quiz_session_id: QuizSessionId
    question_id: QuestionId
    answer: Submission
    answer_id: UUID | None = None


class GetGame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a live session's game stands, once."""

    event: ClassVar[str] = "get_game"
    quiz_session_id: QuizSessionId


class GetMyResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the caller stands in a live session."""

    event: ClassVar[str] = "get_my_result"
    quiz_session_id: QuizSessionId


class RenewToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keep the connection beyond the life of the token it began with: a newer one of the same user."""

    event: ClassVar[str] = "renew_token"
    token: str


# --- server → client, to the room of a quiz session ------------------------------------------------------------


class Change(msgspec.Struct, frozen=True):
    """One answer's score."""

    quiz_session_participant_id: ParticipantId
    question_id: QuestionId
    score: int


class ScoreUpdate(msgspec.Struct, frozen=True):
    """What was answered since the last tick: the first changes, and how many more there were."""

    event: ClassVar[str] = "score_update"
    quiz_session_id: QuizSessionId
    changes: tuple[Change, ...]
    more: int


class LeaderboardUpdating(msgspec.Struct, frozen=True):
    """The whole top of the board: a newer version replaces an older one, versions in between may be missing."""

    event: ClassVar[str] = "leaderboard_updating"
    leaderboard: Leaderboard


class SessionUpdate(msgspec.Struct, frozen=True):
    """Somebody joined, or the session ended."""

    event: ClassVar[str] = "session_update"
    quiz_session_id: QuizSessionId
    state: str
    participant_count: int


class PlayersUpdate(msgspec.Struct, frozen=True):
    """Who takes part in a live session changed: the names of the newest, last first, and how many more there are."""

    event: ClassVar[str] = "players_update"
    quiz_session_id: QuizSessionId
    joined: Sequence[str]
    more: int
    participant_count: int


class Removed(msgspec.Struct, frozen=True):
    """To the sockets of one user: the host has removed you. Who is not `banned` may join again."""

    event: ClassVar[str] = "removed"
    quiz_session_id: QuizSessionId
    banned: bool


RoomMessage: TypeAlias = ScoreUpdate | LeaderboardUpdating | SessionUpdate | PlayersUpdate | GameUpdate | ProgressUpdate


def payload_of(message: RoomMessage) -> object:
    """The message's argument as it stands on the wire."""
    match message:
        case LeaderboardUpdating():
            return message.leaderboard
        case GameUpdate():
            return message.game
        case _:
            return message
