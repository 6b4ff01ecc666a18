"""The board over time."""

from uuid import UUID

from tiebreak.quiz.board_history import Scored, history
from tiebreak.quiz.model import ParticipantId


def scored(player: int, score: int, at_ms: int, reached_ms: int | None = None) -> Scored:
    reached = at_ms if reached_ms is None else reached_ms
    return Scored(ParticipantId(UUID(int=player)), f"Player {player}", score, at_ms, reached)


def test_shown_are_those_who_lead_in_the_end():
    """From their first answer on, each with the rank among everybody then."""
    early = [scored(player, 10, player) for player in range(1, 13)]
    late = [scored(player, 100, 100 + player) for player in range(3, 13)]
    first, last = history([*late, *early], [(12, None), (200, None)])
    assert [(row.rank, row.quiz_session_participant_id.int) for row in first.rows] == [
        (player, player) for player in range(3, 13)
    ]
    assert [(row.rank, row.score) for row in last.rows] == [(rank, 110) for rank in range(1, 11)]


def test_time_does_not_decide_where_it_says_nothing():
    """As in live sessions: equal points share a place."""
    [board] = history([scored(1, 10, 5, 0), scored(2, 10, 9, 0)], [(10, 0)])
    assert [row.rank for row in board.rows] == [1, 1]
    assert board.question_index == 0


def test_no_moments_no_boards():
    """Before the first question of a live session is shut."""
    assert history([scored(1, 10, 5)], []) == []


def test_answers_on_the_edge_of_a_moment():
    """Belong to it; what came after the last moment to none."""
    first, last = history(
        [scored(1, 10, 5), scored(1, 10, 6), scored(1, 10, 8), scored(2, 99, 9)], [(5, None), (8, None)]
    )
    assert ([row.score for row in first.rows], [row.score for row in last.rows]) == ([10], [30])
