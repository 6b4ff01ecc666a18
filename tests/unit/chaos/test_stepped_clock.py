"""A process's clock steps while it runs, and nothing else of it changes."""

import subprocess
import sys
import time

from chaos.process import root
from chaos.stepped_clock import SteppedClock

PROGRAM = """
import sys, time
from chaos.stepped_clock import install
install(sys.argv[1])
from tiebreak.clock import SystemClock
for _ in sys.stdin:
    print(SystemClock().now_ms(), time.time(), time.monotonic(), flush=True)
"""


def test_clock_steps_while_the_process_runs(tmp_path):
    """There and back; monotonic time goes on as ever."""
    clock = SteppedClock(tmp_path / "clock")
    command = [sys.executable, "-c", PROGRAM, str(clock.file)]
    with subprocess.Popen(
        command, cwd=root(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        for step in (0.0, 3600.0, -3600.0, 0.0):
            clock.set(step)
            process.stdin.write("\n")
            now_ms, now, monotonic = map(float, process.stdout.readline().split())
            assert abs(now - time.time() - step) < 60
            assert abs(now_ms / 1000 - now) < 60
            assert abs(monotonic - time.monotonic()) < 60
        process.stdin.close()
