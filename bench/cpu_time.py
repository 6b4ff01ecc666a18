"""What processes use of the processor, to the nanosecond, and what others take of it meanwhile."""

from __future__ import annotations

import os
import re
import resource
import time
from collections.abc import Callable, Collection
from pathlib import Path

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, all threads; 0 if there is none any more.

    The clock of another process, as clock_getcpuclockid(3) makes it on Linux.
    """
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return 0.0


def tree_seconds(pid: int) -> float:
    """The same of a process and all that descend from it, those included that have ended and were waited for."""
    family = descendants(pid)
    return sum(cpu_seconds(one) + reaped_seconds(one) for one in family)


def descendants(pid: int) -> set[int]:
    """A process and all below it."""
    parents = {one: stat[1] for one in processes() if (stat := stat_of(one))}
    family = {pid}
    while more := {one for one, parent in parents.items() if int(parent) in family and one not in family}:
        family |= more
    return family


def processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def stat_of(pid: int) -> list[str] | None:
    """/proc/PID/stat from its third field on: state, parent, …; None if the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def reaped_seconds(pid: int) -> float:
    """Of its children that have ended (proc_pid_stat(5): cutime and cstime)."""
    stat = stat_of(pid)
    return (int(stat[13]) + int(stat[14])) * TICK_SECONDS if stat else 0.0


def children_seconds() -> float:
    """Of all children of ours that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Disturbance:
    """How much of some cores other programs take than those whose time `ours` tells."""

    def __init__(self, cores: Collection[int], ours: Callable[[], float]) -> None:
        self._cores = cores
        self._ours = ours
        self._started, self._others = time.monotonic(), self._others_seconds()

    def share(self) -> float:
        """In cores, since this object was made."""
        return max(self._others_seconds() - self._others, 0.0) / (time.monotonic() - self._started)

    def _others_seconds(self) -> float:
        stat = Path("/proc/stat").read_text()
        return sum(busy_seconds(stat, core) for core in self._cores) - self._ours()


def busy_seconds(stat: str, core: int) -> float:
    """How long a core has not been idle, by the text of /proc/stat."""
    found = re.search(rf"^cpu{core} (.*)", stat, re.M)
    assert found
    user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = map(int, found[1].split())
    return (user + nice + system + irq + softirq + steal) * TICK_SECONDS
