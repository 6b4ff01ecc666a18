"""A whole Tiebreak under `tiebreak loadtest`, and what each of its processes uses of the processor meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.cpu_time import tree_seconds
from bench.processes import BenchFailed, ended, say
from tests.system import System

# `tiebreak loadtest` says when a phase has ended: the answers come between these two.
BEFORE, MEASURED = "pacemakers", "answering"
QUIET_LINES = (BEFORE, MEASURED, "guests", "joins", "sockets")
# What must be 0 of what it found in the ledger, however slow everything was.
WRONG = ("lost", "altered", "unsent", "doubled", "board_rows_wrong", "board_ranks_wrong")


class LoadTested(NamedTuple):
    """Its report (docs/load-testing.md), and the CPU seconds of each process in the `seconds` while answers came."""

    report: dict[str, Any]
    cpu_seconds: dict[str, float]
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether nobody was refused, left waiting or not shown the last board."""
        return self.report["exit_status"] == 0

    @property
    def answers(self) -> int:
        return self.report["answers"]["acknowledged"]

    def cpu_us(self, idle: Mapping[str, float] | None = None) -> dict[str, float]:
        """Per answer, by process; beyond the shares of a core that they use when nothing happens."""
        return {
            name: (used - self.seconds * (idle or {}).get(name, 0.0)) / self.answers * 1e6
            for name, used in self.cpu_seconds.items()
        }


def clocks_of(system: System) -> dict[str, float]:
    """CPU seconds by process so far, with all below it."""
    return {name: tree_seconds(pid) for name, pid in system.run.children.items()}


def idle_shares(system: System, seconds: float) -> dict[str, float]:
    """What each process uses of a core while nothing happens."""
    before, started = clocks_of(system), time.monotonic()
    time.sleep(seconds)
    elapsed = time.monotonic() - started
    return {name: (now - before[name]) / elapsed for name, now in clocks_of(system).items()}


def load_test(system: System, directory: Path, arguments: Sequence[str]) -> LoadTested:
    """Run it to its end. Raises BenchFailed unless every answer is accounted for; whether it was slow is not judged."""
    file = directory / "loadtest.json"
    command = [sys.executable, "-m", "tiebreak", "loadtest", system.base_url, *arguments, "--json", str(file)]
    file.unlink(missing_ok=True)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with ended(process):
        said, used, seconds = followed(process, lambda: clocks_of(system))
        process.wait()
    if not file.exists() or not file.stat().st_size:
        raise BenchFailed(f"tiebreak loadtest ended with {process.returncode}:\n{said}")
    report = json.loads(file.read_text())
    if not report["verdict"] or any(report["verdict"][name] for name in WRONG):
        raise BenchFailed("tiebreak loadtest found fault: " + " ".join(report["failures"]))
    return LoadTested(report, used, seconds)


def followed(
    process: subprocess.Popen[str], clocks: Callable[[], dict[str, float]]
) -> tuple[str, dict[str, float], float]:
    """What it said; what each clock went on from the last word of one phase to that of the next; how long that was."""
    assert process.stdout
    read: dict[str, dict[str, float]] = {}
    read_at: dict[str, float] = {}
    lines: list[str] = []
    for line in process.stdout:
        phase = line.partition(":")[0]
        if phase in (BEFORE, MEASURED):
            read[phase], read_at[phase] = clocks(), time.monotonic()
        if phase not in QUIET_LINES:
            lines.append(line)
    if len(read) < 2:
        return "".join(lines), {}, 0.0
    used = {name: read[MEASURED][name] - read[BEFORE][name] for name in read[BEFORE]}
    return "".join(lines), used, read_at[MEASURED] - read_at[BEFORE]


def say_found(title: str, tested: LoadTested) -> None:
    """A line of progress."""
    report = tested.report
    board = report["board"]
    seen = f", seen p99 {board['every_player']['p99_ms']} ms" if board else ""
    cpu = sum(tested.cpu_us().values())
    say(
        f"  {title}: {report['answers']['acknowledged_per_second']:,.0f}/s, "
        f"acknowledged p99 {report['acknowledgement']['p99_ms']} ms{seen}, {cpu:,.0f} µs of CPU an answer"
    )
