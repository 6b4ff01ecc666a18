"""How `make bench` computes figures, and what it concludes from them."""

from __future__ import annotations

import os

import pytest

from bench import growth, whole_way
from bench.answers.load import figures_of, quantiles_ms
from bench.answers.pgbench import script
from bench.answers.room import Room, user_id_of
from bench.cpu_time import busy_seconds, cpu_seconds, descendants, tree_seconds
from bench.postgres import Cost
from bench.system import LoadTested
from tiebreak.ids import new_id


def test_quantiles():
    """The middle, the slowest hundredth and the slowest, in whatever order they come."""
    found = quantiles_ms([number / 1000 for number in range(101, 0, -1)])
    assert found == pytest.approx({"p50_ms": 51, "p99_ms": 100, "max_ms": 101})


def test_costs_are_per_answer_of_their_own_interval():
    """CPU is of a little longer than the answers that were counted, and divided by those of that time."""
    found = figures_of([0.001] * 1_000, 1_000, seconds=1, elapsed=2, client_seconds=0.5, postgres=Cost(1.0, 40, 0.2))
    assert found["per_second"] == 1_000
    assert found["client_us"] == pytest.approx(250)
    assert found["postgres_us"] == pytest.approx(500)
    assert found["client_share"] == pytest.approx(0.25)
    assert found["sync_share"] == pytest.approx(0.1)


def test_pgbench_takes_the_statement_as_it_is():
    """Every parameter of the statement gets a value, and the variables are pgbench's."""
    room = Room(new_id(), [new_id()], [user_id_of(number) for number in range(64)])
    text = script(room, clients=4, batch=1)
    assert "$" not in text
    assert "--" not in text
    assert r"\set number :turn * 4 + :client_id" in text


def test_user_ids_by_number():
    """A script can say the id of a user whose number it knows."""
    assert str(user_id_of(255)) == "00000000-0000-7000-8000-0000000000ff"


def test_busy_time_leaves_out_waiting():
    """Idle time and waiting for the disk are not work."""
    assert busy_seconds("cpu  9 9\ncpu0 100 0 50 1000 400 0 10 0 0 0\ncpu1 1 0 0 0 0 0 0 0 0 0\n", 0) == 1.6


def test_time_of_a_process():
    """A process has a clock, and one that does not exist has used nothing."""
    assert cpu_seconds(os.getpid()) > 0
    assert os.getpid() in descendants(os.getppid())
    assert tree_seconds(os.getpid()) >= cpu_seconds(os.getpid()) * 0.5
    assert cpu_seconds(2**22 + 1) == 0


def load_tested(**cpu: float) -> LoadTested:
    return LoadTested({"answers": {"acknowledged": 100}}, cpu, seconds=10)


def test_cpu_beyond_idle():
    """What a process uses when nothing happens is not the answers'."""
    assert load_tested(app=0.5).cpu_us() == pytest.approx({"app": 5_000})
    assert load_tested(app=0.5).cpu_us({"app": 0.02}) == pytest.approx({"app": 3_000})


def run(rate: int, p99_ms: float, **more: object) -> dict[str, object]:
    board = {"p99_ms": p99_ms}
    return {"rate": rate, "per_second": rate, "is_good": True, "board": board, "messages": 20.0, "lost": 0} | more


def test_highest_rate_that_holds():
    """The rate named is the highest at which every answer was taken in time and seen in time."""
    runs = [run(100, 100), run(200, 240), run(400, 260)]
    assert whole_way.sustained({"rates": runs}) is runs[1]
    assert not whole_way.holds(run(400, 100, per_second=300))
    assert not whole_way.holds(run(400, 100, is_good=False))


def test_nothing_holds():
    """If not even the lowest rate holds, it is the one that is shown, and the promise is not kept."""
    slow = {"rates": [run(100, 300)], "burst": run(50, 300)}
    found = whole_way.claims({"players": 10, "buses": dict.fromkeys(whole_way.BUSES, slow)})
    assert [claim.holds for claim in found] == [False, False, True]


def test_messages_of_every_run_count():
    """The promise about messages is about the burst as well."""
    bus = {"rates": [run(100, 100)], "burst": run(50, 100, messages=25.0)}
    assert not whole_way.claims({"players": 10, "buses": dict.fromkeys(whole_way.BUSES, bus)})[-1].holds


def test_growth_compares_the_extremes_of_one_session():
    """From the fewest players in one session to the most; rooms with several sessions are another question."""
    figures = {
        "cpu_us": {"5000/1": {"a": 20.0, "b": 10.0}, "100/1": {"a": 15.0, "b": 10.0}, "1000/100": {"a": 90.0, "b": 0.0}}
    }
    assert growth.growth(figures) == pytest.approx(1.2)
    assert growth.growth(figures, "a") == pytest.approx(4 / 3)
    assert growth.growth_by_sessions(figures | {"cpu_us": figures["cpu_us"] | {"1000/1": {"a": 30.0, "b": 0.0}}}) == 3
    assert growth.claims(figures)[0].promise == "CPU per answer, 5,000 ÷ 100 players in the session"
