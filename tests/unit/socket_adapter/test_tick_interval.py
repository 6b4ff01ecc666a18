"""How often rooms are told: by size, lag, and how many servers tell them."""

import pytest

from tiebreak.socket_adapter.tick_interval import interval_seconds

# What one message costs the server that writes it to one socket (bench/RESULTS.md).
WRITE_SECONDS = 6e-6


@pytest.mark.parametrize("recipients", [0, 1, 100, 1_000])
def test_a_room_is_told_ten_times_a_second(recipients):
    """Up to a thousand screens and more, nothing is saved."""
    assert interval_seconds(recipients) == 0.1


@pytest.mark.parametrize("recipients", [2_000, 5_000, 16_000])
def test_a_large_room_costs_a_fifth_of_a_core(recipients):
    """Board and scores in each interval; never more often than that allows, and not much less."""
    share = 2 * recipients * WRITE_SECONDS / interval_seconds(recipients)
    assert share == pytest.approx(0.2)


def test_five_thousand_see_their_board_several_times_a_second():
    """The size the design names."""
    assert 0.25 <= interval_seconds(5_000) <= 0.3


def test_nobody_waits_longer_than_a_second():
    """Whatever the size and the lag."""
    assert interval_seconds(1_000_000) == 1.0
    assert interval_seconds(0, lag_seconds=60.0) == 1.0


def test_a_late_loop_gets_time():
    """A few milliseconds are nothing; beyond that, ticks are several lags apart, and are so no more without the lag."""
    assert [interval_seconds(0, lag_seconds=lag) for lag in (0.005, 0.05, 0.2, 0.0)] == [0.1, 0.2, 0.8, 0.1]


@pytest.mark.parametrize("servers", [1, 2, 7])
def test_servers_share_the_rate(servers):
    """Together as often as one alone."""
    assert servers / interval_seconds(0, servers=servers) == pytest.approx(10)
    assert servers / interval_seconds(5_000, servers=servers) == pytest.approx(1 / interval_seconds(5_000))
