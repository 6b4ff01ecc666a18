"""Times and ids behind the order of a board."""

from uuid import UUID

from tiebreak.clock import SystemClock
from tiebreak.ids import id_of, new_id
from tiebreak.quiz.ranking import MS_SPAN, opened_at_ms, reached_ms


def test_reached_ms_stays_within_a_standing():
    """Clocks that disagree and sessions left open for months bend no other participant's place."""
    assert reached_ms(1_000, 1_500) == 500
    assert reached_ms(1_000, 900) == 0
    assert reached_ms(0, MS_SPAN * 2) == MS_SPAN - 1


def test_opening_time_is_in_the_session_id():
    """The id of RFC 9562's example opens at its published time; ours open now."""
    assert opened_at_ms(UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")) == 0x017F22E279B0
    before = SystemClock().now_ms()
    assert before <= opened_at_ms(new_id()) <= SystemClock().now_ms()


def test_id_of():
    """Only the usual form of 36 characters is an id."""
    assert id_of("01a2052e-0a43-76e6-8878-b541abb70766") is not None
    for text in ("", "x", "01a2052e0a4376e68878b541abb70766", "{01a2052e-0a43-76e6-8878-b541abb70766}", "g" * 36):
        assert id_of(text) is None
