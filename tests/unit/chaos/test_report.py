"""The report says what happened: all of it, and how long it took."""

import msgspec
import pytest

from chaos.faults import Struck
from chaos.history import Figures
from chaos.probe import Sample, judge_recovery
from chaos.report import LONG_RUN_FAULTS, Run, report
from chaos.rounds import RoundResult
from chaos.schedule import Fault, Kind


def run_of(*results: RoundResult) -> Run:
    return Run(7, "make chaos", ["Postgres 18"], results)


def struck(kind: Kind, seen_seconds: float | None = 1.0) -> Struck:
    return Struck(Fault(kind, "somebody", 0.0), 0.0, 1.0, acknowledged_seconds=0.5, seen_seconds=seen_seconds)


def test_good_run():
    """Seed, command and figures; the longest time of each kind."""
    result = RoundResult(1, [struck(Kind.KILL, 1.0), struck(Kind.KILL, 2.5), struck(Kind.CUT)])
    result.figures.acknowledgements = 1234
    page = report(run_of(result))
    assert "`make chaos`, seed 7. Nothing was broken." in page
    assert "| kill -9 | 2 | 0.5 s | 2.5 s |" in page
    assert "1,234 acknowledgements" in page
    assert "Postgres 18" in page


def test_broken_promises_are_told_with_their_round():
    page = report(run_of(RoundResult(1), RoundResult(2, broken=["an answer was lost"])))
    assert "**Broken:**" in page
    assert "- round 2: an answer was lost" in page


def test_long_run_has_many_faults_of_all_kinds():
    """Anything less does not become the page."""
    all_kinds = [struck(kind) for kind in Kind] * (LONG_RUN_FAULTS // len(Kind) + 1)
    assert run_of(RoundResult(1, all_kinds)).is_long
    assert not run_of(RoundResult(1, [it for it in all_kinds if it.fault.kind is not Kind.FLUSH])).is_long
    assert not run_of(RoundResult(1, all_kinds[: LONG_RUN_FAULTS - 1])).is_long


def test_figures_of_rounds_add_up():
    one, other = Figures(sessions=1), Figures(sessions=2)
    one.retries["timeout"] = 1
    other.retries["timeout"] = 2
    one.add(other)
    assert (one.sessions, one.retries["timeout"]) == (3, 3)
    assert set(Figures.__struct_fields__) == set(msgspec.structs.asdict(one))


def test_recovery_is_the_first_answer_after_the_fault():
    """The next one acknowledged, and the next one shown, are not always the same."""
    one = struck(Kind.KILL)
    judge_recovery([one], [Sample(0.5, 0.9), Sample(0.9, 1.4), Sample(3.0, 3.5)])
    assert (one.acknowledged_seconds, one.seen_seconds) == pytest.approx((2.0, 0.4))
    judge_recovery([one], [Sample(0.5)])
    assert (one.acknowledged_seconds, one.seen_seconds) == (None, None)
