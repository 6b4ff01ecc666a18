"""THE CONTRACT: every event on the bus. docs/events.md describes it for readers outside.

Topic `participant_score_change`, key = `quiz_session_id` as text, value = JSON of ParticipantScoreChange.
Events of one session share a partition and keep their order; an event may come more than once.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from tiebreak.errors import EventUndecodable
from tiebreak.quiz.model import AnswerId, ParticipantId, QuestionId, QuizSessionId

TOPIC = "participant_score_change"
DEAD_TOPIC = f"{TOPIC}.dead"
SHARDS = 64
# Nobody's: an event waits there until its question is shut (database/held_answers.py).
HELD = -1


class ScoreChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An answer and what it earned. Time and score are the answer's, never a consumer's.

    Where time does not decide (live sessions), equal points share a place whenever they were reached.
    """

    participant_answer_id: AnswerId
    quiz_session_id: QuizSessionId
    quiz_session_participant_id: ParticipantId
    name: str
    question_id: QuestionId
    # No board holds more (quiz/ranking.py).
    score: Annotated[int, Meta(ge=0, le=2_097_151)]
    answered_at_ms: int
    time_decides: bool = True


class ParticipantScoreChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`version` is that of this contract: raised when a field changes its meaning."""

    id: UUID
    event_name: Literal["participant_score_change"] = TOPIC
    type: Literal["ADD_ANSWER"] = "ADD_ANSWER"
    version: Literal[1] = 1
    payload: ScoreChange


class DeadEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """On DEAD_TOPIC: an event that could not be put on a board, where it lay, and why. Bytes are base64 in JSON."""

    reason: str
    topic: str
    partition: int
    offset: str
    key: bytes
    value: bytes
    died_at_ms: int


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(ParticipantScoreChange)


def encode(event: ParticipantScoreChange) -> bytes:
    """The value on the bus."""
    return _encoder.encode(event)


def decode(value: bytes) -> ParticipantScoreChange:
    """The event of a value. Raises EventUndecodable, which is not temporary, if it breaks the contract."""
    try:
        return _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EventUndecodable(f"Not a {TOPIC} event: {error}") from error


def encode_dead(event: DeadEvent) -> bytes:
    """The value on the dead-letter topic."""
    return _encoder.encode(event)


def decode_dead(value: bytes) -> DeadEvent:
    """Raises EventUndecodable."""
    try:
        return msgspec.json.decode(value, type=DeadEvent)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EventUndecodable(f"Not a dead event: {error}") from error


def key_of(quiz_session_id: QuizSessionId) -> bytes:
    """The key that keeps a session's events in one partition."""
    return str(quiz_session_id).encode()


# Remembered: an answer alone would spend a tenth of the app server's time on it.
@lru_cache(maxsize=1_024)
def shard_of(quiz_session_id: QuizSessionId) -> int:
    """The part of the outbox a session's events wait in: 0 to SHARDS − 1, for ever the same."""
    return zlib.crc32(key_of(quiz_session_id)) % SHARDS
