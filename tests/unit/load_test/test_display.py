"""What is to be seen meanwhile."""

from __future__ import annotations

import io

from tiebreak.load_test.display import Now, PlainDisplay
from tiebreak.load_test.measurements import Measurements
from tiebreak.load_test.terminal import TerminalDisplay
from tiebreak.load_test.upkeep import latest

NOW = Now(
    per_second=40.0,
    ack_p50_ms=2.5,
    ack_p99_ms=120.0,
    board_p50_ms=None,
    board_p99_ms=None,
    under_way=1,
    retries=2,
    failed=3,
)


def played(display):
    display.begin("guests", 2)
    display.advance()
    display.advance()
    display.begin("answering", 30)
    display.advance(30)
    display.show(NOW)
    display.end()


def test_lines_for_logs():
    """One at the end of each phase, the last one with figures, and nothing that only a terminal understands."""
    stream = io.StringIO()
    played(PlainDisplay(stream))
    assert stream.getvalue().splitlines() == [
        "guests: 2 of 2",
        "answering: 30 of 30; acknowledged 40/s; answer → ack 2.5 ms p50, 120 ms p99; "
        "answer → seen – p50, – p99; under way 1; sent again 2; failed 3",
    ]


def test_a_display_that_never_began_says_nothing():
    """As when the address is wrong."""
    stream = io.StringIO()
    PlainDisplay(stream).end()
    TerminalDisplay(stream).end()
    assert stream.getvalue().strip() == ""


def test_bars_for_people():
    """Each phase keeps its bar."""
    stream = io.StringIO()
    played(TerminalDisplay(stream))
    assert "guests" in stream.getvalue()
    assert "30/30" in stream.getvalue()


def test_figures_of_the_last_second():
    """What was shown before is not shown again."""
    measured = Measurements()
    measured.due = 2
    measured.acknowledge(due=10.0, now=10.5)
    measured.visibility.add(0.25)
    measured.retries["busy"] += 1
    now = latest(measured)
    assert (now.per_second, now.ack_p99_ms, now.board_p50_ms) == (1, 500, 250)
    assert (now.under_way, now.retries, now.failed) == (1, 1, 0)
    assert latest(measured).per_second == 0
    assert measured.acknowledged.count == measured.visibility.pairs.count == 1
