"""The same seed is the same schedule, and every kind comes."""

import pytest

from chaos.schedule import CHEAP, Kind, schedule, targets


def drawn(seed=7, number=1, faults=25, bus="streams", kinds=tuple(Kind)):
    return schedule(seed, number, faults=faults, gap_seconds=1.8, bus=bus, kinds=kinds)


@pytest.mark.parametrize("bus", ["streams", "kafka"])
def test_same_seed_same_schedule(bus):
    """And another seed, or another round, another one."""
    assert drawn(bus=bus) == drawn(bus=bus)
    assert drawn(bus=bus) != drawn(seed=8, bus=bus)
    assert drawn(bus=bus) != drawn(number=2, bus=bus)


def test_round_is_the_same_without_those_before_it():
    """So that a failing one can be played again by itself."""
    rounds = [drawn(number=number) for number in (1, 2, 3)]
    assert drawn(number=3) == rounds[2]


@pytest.mark.parametrize("bus", ["streams", "kafka"])
def test_all_kinds_come_before_one_comes_again(bus):
    """Five hundred faults have each kind twenty times, at targets that there are."""
    possible = targets(bus)
    assert set(possible) == set(Kind)
    once = drawn(faults=len(Kind), bus=bus)
    assert {fault.kind for fault in once} == set(Kind)
    for fault in drawn(faults=500, bus=bus):
        assert fault.target in possible[fault.kind]
    drawn_kinds = [fault.kind for fault in drawn(faults=500, bus=bus)]
    assert all(drawn_kinds.count(kind) >= 500 // len(Kind) for kind in Kind)


def test_order_of_the_kinds_asked_for_does_not_matter():
    """A schedule follows from what may happen, not from how it was said."""
    assert drawn(kinds=CHEAP) == drawn(kinds=tuple(reversed(CHEAP)))
    assert {fault.kind for fault in drawn(kinds=CHEAP)} == set(CHEAP)


def test_faults_come_one_after_the_other():
    """At most one and a half gaps apart, and their average is the gap."""
    moments = [fault.at_seconds for fault in drawn(faults=500)]
    assert moments == sorted(moments)
    assert moments[-1] == pytest.approx(500 * 1.8, rel=0.1)


def test_some_outages_outlast_leases():
    """Workers are taken for dead while they live."""
    frozen = [fault.seconds for fault in drawn(faults=500) if fault.kind is Kind.FREEZE]
    assert min(frozen) >= 0.5
    assert max(frozen) <= 8
    assert any(seconds > 4 for seconds in frozen)
