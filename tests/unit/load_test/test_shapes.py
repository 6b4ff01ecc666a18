"""The schedules of load."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiebreak.load_test.content import ANSWERS_PER_PLAYER
from tiebreak.load_test.shapes import BURST_SECONDS, RIGHT_SHARE, turns

SHAPES = ("burst", "steady", "exam")


def schedule(shape, *, players=50, rate=25.0, seconds=20.0, seed=1):
    return list(turns(shape, players=players, rate=rate, seconds=seconds, random=Random(seed)))


@given(
    shape=st.sampled_from(SHAPES),
    players=st.integers(1, 60),
    share=st.floats(0.05, 1.0),
    seconds=st.floats(1.0, 90.0),
    seed=st.integers(0, 1000),
)
def test_turns_come_in_order_and_never_exceed_the_quiz(shape, players, share, seconds, seed):
    """Time never goes back, every player exists, and nobody has more turns than the quiz has questions."""
    found = schedule(shape, players=players, rate=players * share, seconds=seconds, seed=seed)
    moments = [turn.at_seconds for turn in found]
    assert moments == sorted(moments)
    each = Counter(turn.player for turn in found)
    assert set(each) <= set(range(players))
    assert not each or max(each.values()) <= ANSWERS_PER_PLAYER


@pytest.mark.parametrize("shape", SHAPES)
def test_same_seed_same_schedule(shape):
    """A run can be made again; another seed gives another one."""
    assert schedule(shape) == schedule(shape)
    assert schedule(shape) != schedule(shape, seed=2)


@pytest.mark.parametrize("shape", SHAPES)
def test_all_shapes_have_the_rate_that_was_asked_for(shape):
    """They can be compared: the same number of answers in the same time, differently spread."""
    found = schedule(shape, players=400, rate=100.0, seconds=40.0)
    assert len(found) == pytest.approx(4_000, rel=0.15)
    assert sum(turn.right for turn in found) / len(found) == pytest.approx(RIGHT_SHARE, abs=0.05)


def test_burst_asks_the_whole_room_within_a_second():
    """Everybody once, then a pause until the next question."""
    found = schedule("burst", players=100, rate=20.0, seconds=15.0)
    for number in range(3):
        round_ = [turn for turn in found if number * 5 <= turn.at_seconds < (number + 1) * 5]
        assert {turn.player for turn in round_} == set(range(100))
        assert max(turn.at_seconds for turn in round_) <= number * 5 + BURST_SECONDS


def test_burst_has_at_least_one_round():
    """Also where the time is shorter than the pause."""
    assert len(schedule("burst", players=10, rate=1.0, seconds=3.0)) == 10


def test_steady_is_even():
    """One answer in each slot, the players in turn."""
    found = schedule("steady", players=10, rate=50.0, seconds=4.0)
    assert [int(turn.at_seconds * 50) for turn in found] == list(range(200))
    assert [turn.player for turn in found[:10]] == [turn.player for turn in found[10:20]]


def test_exam_players_have_paces_of_their_own():
    """Pauses differ, from player to player and from question to question."""
    moments: dict[int, list[float]] = {}
    for turn in schedule("exam", players=20, rate=10.0, seconds=60.0):
        moments.setdefault(turn.player, []).append(turn.at_seconds)
    pauses = [b - a for each in moments.values() for a, b in pairwise(each)]
    assert min(pauses) < 1.0
    assert max(pauses) > 4.0
