"""Schedules with fixed seeds: promises hold, all that may go wrong does, and the same seed tells the same story."""

import subprocess
import sys

import pytest

from simulation import __main__ as program
from simulation.accidents import KINDS
from simulation.batch import Batch, silent
from simulation.mutants import MUTANTS, hunted
from simulation.weather import Weather

SCHEDULES = 250


def test_promises_hold():
    """Acknowledged answers are in the ledger once; boards and screens come to equal it; versions never go back."""
    batch = Batch()
    with silent():
        for seed in range(SCHEDULES):
            batch.run(seed)
    assert [(it.seed, it.violations) for it in batch.broken] == []
    assert [kind for kind in (*Weather.__struct_fields__, *KINDS) if not batch.faults[kind]] == []


@pytest.mark.parametrize("name", ["dedupe", "shows-partial", "retry-unknown", "opens-empty", "placed-as-given"])
def test_a_missing_safeguard_is_missed(name):
    """Five of those that `python -m simulation.mutants` takes out; it tells of all of them."""
    with silent():
        assert hunted(MUTANTS[name], first_seed=0, most=300)


def told(hash_seed: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulation", *arguments],
        env={"PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_same_seed_tells_the_same_story():
    """Byte for byte, in another process, whatever order its sets have; another seed tells another one."""
    first, again, other = (
        told(1, "--seed", "7", "--history"),
        told(2, "--seed", "7", "--history"),
        told(1, "--seed", "8", "--history"),
    )
    assert first.returncode == 0, first.stdout[-2_000:] + first.stderr
    assert first.stdout == again.stdout
    assert len(first.stdout.splitlines()) > 100
    assert first.stdout != other.stdout


def test_a_broken_promise_is_told_with_the_way_to_see_it_again(monkeypatch, capsys):
    """The seed is all it takes."""
    monkeypatch.setattr("sys.argv", ["simulation", "--seed", "0", "--schedules", "300"])
    [broken] = MUTANTS["dedupe"].patches()
    with broken:
        assert program.main() == 1
    told = capsys.readouterr().out
    assert 'see it again: make simulate ARGS="--seed ' in told
    assert "1 broke a promise" in told
