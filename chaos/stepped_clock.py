"""`python -m chaos.stepped_clock FILE ARGUMENTS…`: `tiebreak ARGUMENTS…` whose wall clock is off by what FILE says.

FILE holds one double, seconds, and is read at each look at the clock: the clock steps while the process runs. Only
what Python calls the time is changed (time.time, time.time_ns): Tiebreak's clock, libraries in Python. Monotonic time
is not, as it is not on a machine whose clock is set.
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from pathlib import Path

OFFSET = struct.Struct("d")


class SteppedClock:
    """What a process that runs with `file` takes for the time."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.set(0.0)

    def set(self, seconds: float) -> None:
        """Step to so many seconds beside the real time."""
        if not self.file.exists():
            self.file.write_bytes(OFFSET.pack(seconds))
        with self.file.open("r+b") as file:  # in place: the process has it mapped
            file.write(OFFSET.pack(seconds))


def install(file: str) -> None:
    """Step this process's clock as `file` says."""
    with open(file, "rb") as opened:
        offset = mmap.mmap(opened.fileno(), OFFSET.size, access=mmap.ACCESS_READ)
    real_time, real_time_ns = time.time, time.time_ns
    time.time = lambda: real_time() + OFFSET.unpack_from(offset)[0]
    time.time_ns = lambda: real_time_ns() + int(OFFSET.unpack_from(offset)[0] * 1e9)


if __name__ == "__main__":
    install(sys.argv[1])
    del sys.argv[1]
    from tiebreak.cli import main  # after the clock: what asks for the time by a name of its own gets ours

    main()
