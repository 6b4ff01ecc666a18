"""Calls counted in a process: so many in a minute, and then not until the next one."""

from __future__ import annotations

import pytest

from tests.standing_clock import StandingClock
from tiebreak.cache.call_limits import MOST_TOLD, CallLimit
from tiebreak.errors import Refusal, Refused

MINUTE_BEGINS_MS = 1_800_000_000_000


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(MINUTE_BEGINS_MS)


def limit_of(clock: StandingClock, per_minute: int) -> CallLimit:
    return CallLimit(clock, name="test", per_minute=per_minute)


def accepted(limit: CallLimit, who: str, calls: int) -> int:
    """How many of so many calls are."""
    found = 0
    for _ in range(calls):
        try:
            limit.count(who)
        except Refused:
            continue
        found += 1
    return found


@pytest.mark.parametrize("per_minute", [1, 3, 8, 100, 1_200])
def test_so_many_and_no_more(clock: StandingClock, per_minute: int) -> None:
    """The calls of each are counted by themselves, small limits and large ones."""
    limit = limit_of(clock, per_minute)
    assert accepted(limit, "ann", per_minute + 50) == per_minute
    assert accepted(limit, "bob", per_minute + 50) == per_minute


def test_what_is_said_to_who_called_too_often(clock: StandingClock) -> None:
    """429, and when the next minute begins."""
    limit = limit_of(clock, 3)
    clock.advance(seconds=20)
    limit.turn()
    assert accepted(limit, "ann", 3) == 3
    with pytest.raises(Refused) as refused:
        limit.count("ann")
    assert refused.value.refusal is Refusal.TOO_MANY_TRIES
    assert refused.value.refusal.status == 429
    assert refused.value.retry_after_seconds == 40


@pytest.mark.parametrize("in_the_background", [True, False])
def test_the_next_minute_is_a_new_one(clock: StandingClock, in_the_background: bool) -> None:
    """Also where nothing runs in the background: nobody is shut out for ever."""
    limit = limit_of(clock, 10)
    assert accepted(limit, "ann", 20) == 10
    clock.advance(seconds=60)
    if in_the_background:
        limit.turn()
    assert accepted(limit, "ann", 20) == 10


def test_who_calls_little_is_not_told_about(clock: StandingClock) -> None:
    """Up to an eighth of the limit a call is a look into a dictionary and nothing else."""
    limit = limit_of(clock, 80)
    assert accepted(limit, "ann", 10) == 10
    assert limit.news() == []
    limit.count("ann")
    assert limit.news() == [("ann", 11)]
    assert limit.news() == []
    limit.count("ann")
    assert limit.news() == [("ann", 1)]


def test_calls_of_other_processes_count(clock: StandingClock) -> None:
    """What was called here while Redis was asked is not lost by its answer."""
    limit = limit_of(clock, 80)
    assert accepted(limit, "ann", 20) == 20
    news = limit.news()
    assert accepted(limit, "ann", 5) == 5
    limit.hear(news, [70])
    assert accepted(limit, "ann", 20) == 5
    assert limit.news() == [("ann", 25)]


def test_news_come_in_portions(clock: StandingClock) -> None:
    """However many call too often, a round is bounded, and nobody is forgotten."""
    limit = limit_of(clock, 1)
    for number in range(MOST_TOLD + 10):
        limit.count(number)
    assert len(limit.news()) == MOST_TOLD
    assert len(limit.news()) == 10
