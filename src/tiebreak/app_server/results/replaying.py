"""The board over time, from the ledger alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from tiebreak.database.results import AskedQuestion, PlayerScore
from tiebreak.quiz.board_history import Moment, Scored, history
from tiebreak.quiz.model import ParticipantId
from tiebreak.quiz.ranking import reached_ms

SCORES = msgspec.json.Decoder(list[PlayerScore])


def replayed(
    players: Iterable[tuple[ParticipantId, str, str]],
    moments: Sequence[tuple[int, int | None]],
    opened_at_ms: int,
    *,
    is_live: bool,
) -> list[Moment]:
    """The board at these moments, each with its question's index."""
    answers = [
        scored(participant_id, name, given, opened_at_ms, is_live=is_live)
        for participant_id, name, scores in players
        for given in SCORES.decode(scores)
    ]
    return history(answers, moments)


def shut_moments(asked: Sequence[AskedQuestion], opened_at_ms: int) -> list[tuple[int, int | None]]:
    """When each question of a live session was shut."""
    shut = [(it.shut_at_ms - opened_at_ms, it.position - 1) for it in asked if it.shut_at_ms is not None]
    return [*sorted(shut)]


def scored(participant_id: ParticipantId, name: str, given: PlayerScore, opened_at_ms: int, *, is_live: bool) -> Scored:
    """A live question's answers come onto the board when it is shut, and time does not decide between equals."""
    at_ms = reached_ms(opened_at_ms, given.answered_at_ms)
    if not is_live or given.shut_at_ms is None:
        return Scored(participant_id, name, given.score, at_ms, at_ms)
    return Scored(participant_id, name, given.score, given.shut_at_ms - opened_at_ms, 0)
