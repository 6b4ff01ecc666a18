"""What fails a load test, and how it is told."""

from __future__ import annotations

import msgspec
import pytest

from tiebreak.load_test.distribution import Figures
from tiebreak.load_test.generator import GeneratorFigures
from tiebreak.load_test.options import Options
from tiebreak.load_test.report import AnswerFigures, BoardFigures, Report, judge
from tiebreak.load_test.screen import MessageFigures
from tiebreak.load_test.summary import summary
from tiebreak.load_test.verdict import Verdict

FAST = Figures(100, 5.0, 20.0, 30.0)
ANSWERS = AnswerFigures(100, 100, 50.0, {}, 0, 0, {})


def report(**fields):
    options = Options(url="http://127.0.0.1:8000", **fields.pop("options", {}))
    fields = {
        "answers": ANSWERS,
        "acknowledgement": FAST,
        "board": BoardFigures(FAST, FAST, 0),
        "messages": MessageFigures(12.5, 20, {"score_update": 12.5}),
        "generator": GeneratorFigures(0.33, 1.0, 2.0),
        "verdict": Verdict(counted=110),
        "interrupted": False,
    } | fields
    return judge(Report(started_at_ms=0, options=options, seconds=2.0, connections_lost=0, **fields))


def test_all_well():
    """Nothing failed, and both proofs are plain to read."""
    found = report()
    assert (found.exit_status, found.failures) == (0, [])
    assert "lost = 0" in summary(found)
    assert "board = ledger" in summary(found)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"verdict": Verdict(lost=2)}, "2 acknowledged answers are lost."),
        ({"verdict": Verdict(altered=1)}, "otherwise than they were sent"),
        ({"verdict": Verdict(unsent=1)}, "refused or never sent"),
        ({"verdict": Verdict(doubled=1)}, "more or fewer are counted"),
        ({"verdict": Verdict(board_rows_wrong=1)}, "rows of leaderboards differ"),
        ({"verdict": Verdict(board_ranks_wrong=1)}, "ranks of leaderboards"),
        ({"verdict": Verdict(screens_behind=4)}, "4 players were not shown the final board."),
        ({"answers": msgspec.structs.replace(ANSWERS, refused={"not_joined": 3})}, "refused: 3 × not_joined"),
        ({"answers": msgspec.structs.replace(ANSWERS, unacknowledged=3)}, "3 answers were never acknowledged."),
        ({"answers": msgspec.structs.replace(ANSWERS, unsettled=3)}, "3 answers were never settled"),
        ({"messages_malformed": 2}, "2 messages could not be read"),
        ({"renewals_failed": {"timeout": 2, "status 401": 1}}, "3 log-ins could not be renewed (2 × timeout, 1 ×"),
        ({"options": {"max_ack_p99_ms": 19.9}}, "--max-ack-p99-ms 19.9 is exceeded: it was 20 ms."),
        ({"options": {"max_board_p99_ms": 10}}, "--max-board-p99-ms 10 is exceeded: it was 20 ms."),
        (
            {"options": {"max_board_p99_ms": 10}, "board": BoardFigures(Figures(0, None, None, None), FAST, 0)},
            "nothing was measured",
        ),
        ({"board": BoardFigures(FAST, FAST, 7)}, "7 times a player was not shown an answer"),
    ],
)
def test_each_failure_is_named(fields, said):
    """Status 1, one sentence, also in what people read."""
    found = report(**fields)
    assert found.exit_status == 1
    assert len(found.failures) == 1
    assert said in found.failures[0]
    assert f"FAILED  {found.failures[0]}" in summary(found)


def test_thresholds_that_are_kept():
    """Are not mentioned."""
    assert report(options={"max_ack_p99_ms": 20, "max_board_p99_ms": 20}).failures == []


def test_never_acknowledged_but_counted():
    """Is told, and no failure of the ledger."""
    assert "never acknowledged and count once" in summary(report(verdict=Verdict(unacknowledged_but_counted=1)))


def test_interrupted():
    """Said first; nothing was checked."""
    found = report(interrupted=True, verdict=None, answers=msgspec.structs.replace(ANSWERS, due=105, unsettled=5))
    assert found.exit_status == 130
    assert summary(found).startswith("Interrupted")
    assert "5 under way" in summary(found)
    assert found.failures == []
    assert "board = ledger" not in summary(found)


def test_a_generator_at_its_limit():
    """Warns that the figures may be its own."""
    assert "bottleneck" in summary(report(generator=GeneratorFigures(0.95, 80.0, 200.0)))
    assert "bottleneck" in summary(report(generator=GeneratorFigures(0.33, 50.1, 200.0)))
    assert "bottleneck" not in summary(report(generator=GeneratorFigures(0.9, 50.0, 200.0)))
    assert "bottleneck" not in summary(report(generator=GeneratorFigures(0.0, None, None)))


def test_json_round_trip():
    """What is written can be read again as the same report."""
    found = report()
    assert msgspec.json.decode(msgspec.json.encode(found), type=Report) == found
