"""Percentiles from buckets."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiebreak.load_test.distribution import GROWTH, SMALLEST_SECONDS, Distribution, Figures


def of(durations):
    found = Distribution()
    found.extend(durations)
    return found


@given(st.lists(st.floats(0.0, 1_000.0), min_size=1, max_size=200), st.floats(0.1, 100.0))
def test_percentiles_are_exact_to_a_hundredth(durations, percent):
    """Never less than the true one, and at most a bucket more."""
    exact = sorted(durations)[max(1, math.ceil(len(durations) * percent / 100)) - 1]
    found = of(durations).percentile(percent)
    assert found is not None
    assert exact * (1 - 1e-9) <= max(found, SMALLEST_SECONDS)
    assert found <= max(exact * GROWTH * (1 + 1e-9), SMALLEST_SECONDS)


def test_figures():
    """Milliseconds; the maximum is exact."""
    figures = of([0.010] * 98 + [0.5, 1.2345]).figures()
    assert (figures.count, figures.max_ms) == (100, 1234.5)
    assert figures.p50_ms == pytest.approx(10, rel=0.01)
    assert figures.p99_ms == pytest.approx(500, rel=0.01)


def test_nothing_measured():
    """Is not zero."""
    assert Distribution().figures() == Figures(0, None, None, None)
