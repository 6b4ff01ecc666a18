"""Ids in paths: a text that is no id is a 400, not a 404."""

from __future__ import annotations

from tiebreak.errors import Refusal, Refused
from tiebreak.ids import id_of
from tiebreak.quiz.model import ImageId, ParticipantId, QuizId, QuizSessionId, UserId


def session_id_of(text: str) -> QuizSessionId:
    """Raises Refused(NOT_AN_ID)."""
    found = id_of(text)
    if found is None:
        raise Refused(Refusal.NOT_AN_ID)
    return QuizSessionId(found)


def quiz_id_of(text: str) -> QuizId:
    """Raises Refused(NOT_AN_ID)."""
    return QuizId(session_id_of(text))


def participant_id_of(text: str) -> ParticipantId:
    """Raises Refused(NOT_AN_ID)."""
    return ParticipantId(session_id_of(text))


def user_id_of(text: str) -> UserId:
    """Raises Refused(NOT_AN_ID)."""
    return UserId(session_id_of(text))


def image_id_of(text: str) -> ImageId:
    """Raises Refused(NOT_AN_ID)."""
    return ImageId(session_id_of(text))
