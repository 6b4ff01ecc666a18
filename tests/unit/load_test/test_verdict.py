"""A verdict that cannot fail is worth nothing: each test here spoils one thing."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiebreak.load_test.player import Given
from tiebreak.load_test.replies import Answered, Recorded, Row
from tiebreak.load_test.verdict import MAX_EXAMPLES, Verdict, compare_answers, compare_board, compare_ranks


def sent(question, answer=1, score=10, *, recorded=True, refused=None):
    return Given(
        question, answer, score, f"id of {question}", Recorded(score > 0, score) if recorded else None, refused
    )


def judged(given, found):
    verdict = Verdict()
    total = compare_answers(verdict, "Ann", given, found)
    return verdict, total


def test_what_was_acknowledged_is_there():
    """Nothing to complain of, and the total is the sum of the scores."""
    verdict, total = judged(
        [sent("a"), sent("b", [0, 1], 0)], {"a": Answered(1, True, 10), "b": Answered([0, 1], False, 0)}
    )
    assert verdict == Verdict(counted=2)
    assert verdict.is_good
    assert total == 10


def test_lost():
    """Acknowledged, and gone."""
    verdict, _ = judged([sent("a"), sent("b")], {"a": Answered(1, True, 10)})
    assert (verdict.lost, verdict.is_good) == (1, False)
    assert "id of b" in verdict.examples[0]


def test_never_acknowledged_may_count_or_not():
    """Its sender does not know either."""
    verdict, total = judged([sent("a", recorded=False), sent("b", recorded=False)], {"a": Answered(1, True, 10)})
    assert verdict == Verdict(counted=1, unacknowledged_but_counted=1)
    assert verdict.is_good
    assert total == 10


@pytest.mark.parametrize(
    "there", [Answered(2, True, 10), Answered(1, True, 20), Answered(1, False, 0), Answered(True, True, 10)]
)
def test_altered(there):
    """Another answer, or another score, than was sent and acknowledged."""
    verdict, _ = judged([sent("a")], {"a": there})
    assert (verdict.altered, verdict.is_good) == (1, False)


def test_acknowledged_with_another_score():
    """The acknowledgement has to tell the truth, too."""
    given = msgspec.structs.replace(sent("a"), recorded=Recorded(True, 20))
    assert judged([given], {"a": Answered(1, True, 10)})[0].altered == 1


def test_refused_and_there():
    """A refusal has to leave nothing behind."""
    verdict, _ = judged([sent("a", recorded=False, refused="busy")], {"a": Answered(1, True, 10)})
    assert (verdict.unsent, verdict.is_good) == (1, False)


def test_never_sent():
    """Nobody gave that answer."""
    verdict, total = judged([], {"z": Answered(1, True, 10)})
    assert (verdict.unsent, verdict.is_good, total) == (1, False, 10)


def test_a_session_that_counts_more_than_it_shows():
    """Two rows for one answer."""
    assert not Verdict(doubled=1).is_good


def rows_of(totals):
    """A right board: equal totals above 0 were reached one after the other, by pairs at the same time."""
    ordered = sorted(totals.items(), key=lambda item: -item[1])
    rows: list[Row] = []
    for place, (participant, score) in enumerate(ordered, start=1):
        shares = bool(rows) and rows[-1].score == score and (score == 0 or place % 2 == 0)
        rows.append(Row(rows[-1].rank if shares else place, participant, participant.upper(), score))
    return rows


BOARDS = st.dictionaries(st.text("abcdef", min_size=3, max_size=6), st.integers(0, 4).map(lambda n: n * 10), min_size=2)


@given(BOARDS)
def test_right_board(totals):
    """Whatever the totals, ties and all."""
    verdict = Verdict()
    compare_board(verdict, totals, len(totals), rows_of(totals))
    assert verdict == Verdict()


def test_equal_points_share_where_time_does_not_decide():
    """And only there must they."""
    together, apart = [Row(1, "a", "A", 10), Row(1, "b", "B", 10)], [Row(1, "a", "A", 10), Row(2, "b", "B", 10)]
    for rows, time_decides, wrong in ((together, False, 0), (apart, False, 1), (together, True, 0), (apart, True, 0)):
        verdict = Verdict()
        compare_ranks(verdict, rows, time_decides=time_decides)
        assert verdict.board_ranks_wrong == wrong


@given(BOARDS, st.data())
def test_any_other_total_is_found(totals, data):
    """One row with a point more or less."""
    rows = rows_of(totals)
    at = data.draw(st.integers(0, len(rows) - 1))
    rows[at] = msgspec.structs.replace(rows[at], score=rows[at].score + data.draw(st.sampled_from([-1, 1])))
    verdict = Verdict()
    compare_board(verdict, totals, len(totals), rows)
    assert verdict.board_rows_wrong == 1
    assert not verdict.board_is_ledger


@given(BOARDS, st.data())
def test_any_missing_or_doubled_row_is_found(totals, data):
    """Somebody who has answered and is not there, or is there twice."""
    at = data.draw(st.integers(0, len(totals) - 1))
    missing, doubled = rows_of(totals), rows_of(totals)
    del missing[at]
    doubled.insert(at, doubled[at])
    for rows in (missing, doubled):
        verdict = Verdict()
        compare_board(verdict, totals, len(rows), rows)
        assert verdict.board_rows_wrong == 1


def test_somebody_who_never_answered():
    """A row that is nobody's."""
    verdict = Verdict()
    compare_board(verdict, {}, 1, [Row(1, "a", "A", 0)])
    assert verdict.board_rows_wrong == 1


def test_wrong_count():
    """`participants` counts the rows of the whole board."""
    verdict = Verdict()
    compare_board(verdict, {"a": 10}, 2, [Row(1, "a", "A", 10)])
    assert verdict.board_rows_wrong == 1


@pytest.mark.parametrize(
    "ranks_and_scores",
    [
        [(2, 10)],
        [(1, 10), (1, 20)],
        [(1, 20), (1, 10)],
        [(1, 20), (3, 10)],
        [(1, 20), (2, 10), (2, 0)],
        [(1, 20), (1, 20), (2, 10)],
        [(1, 20), (2, 0), (3, 0)],
    ],
)
def test_ranks_that_do_not_follow(ranks_and_scores):
    """Out of order, shared by unequal totals, skipping, not skipping, or not shared by those without points."""
    verdict = Verdict()
    compare_ranks(verdict, [Row(rank, f"{at}", f"{at}", score) for at, (rank, score) in enumerate(ranks_and_scores)])
    assert verdict.board_ranks_wrong
    assert not verdict.is_good


def test_verdicts_add_up():
    """With the first few examples."""
    total = Verdict(lost=1, examples=["a"])
    total.add(Verdict(lost=2, screens_behind=3, examples=["b"] * 9))
    assert (total.lost, total.screens_behind, len(total.examples)) == (3, 3, MAX_EXAMPLES)
