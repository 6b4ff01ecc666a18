"""How eagerly a dead child is started again."""

from __future__ import annotations

from tiebreak.embedded.keeper import Backoff


def test_doubles_up_to_five_seconds() -> None:
    """A child that dies at once is started ever less often, but never given up."""
    backoff = Backoff()
    assert [backoff.after(0.0) for _ in range(7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_a_good_life_is_rewarded() -> None:
    """After ten seconds of life the next pause is short again."""
    backoff = Backoff()
    for _ in range(5):
        backoff.after(0.0)
    assert [backoff.after(10.0), backoff.after(9.9)] == [0.2, 0.4]
