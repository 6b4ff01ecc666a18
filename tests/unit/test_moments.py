"""Moments as people write them."""

import pytest

from tiebreak.answer_log.moments import moment_ms, moment_text


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-11-28T18:30:00Z", 1_795_890_600_000),
        ("2026-11-28T18:30", 1_795_890_600_000),
        ("2026-11-28 19:30:00.001+01:00", 1_795_890_600_001),
        ("2026-11-28", 1_795_824_000_000),
        ("1795890600000", 1_795_890_600_000),
        ("0", 0),
    ],
)
def test_moment(text, ms):
    """ISO 8601, in UTC unless it says otherwise, or milliseconds; shown so that it can be read again."""
    assert moment_ms(text) == ms
    assert moment_ms(moment_text(ms)) == ms


@pytest.mark.parametrize("text", ["", "now", "-1", "1.5", "18:30", "2026-13-01", "²"])
def test_no_moment(text):
    """It is refused."""
    with pytest.raises(ValueError, match=r"isoformat|month"):
        moment_ms(text)


def test_moment_of_no_calendar():
    """Shown all the same: it may be what somebody wrote into the database."""
    assert moment_text(2**62) == f"{2**62} ms"
