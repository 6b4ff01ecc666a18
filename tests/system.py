"""A whole Tiebreak as its users run it: `tiebreak up`, a real process with real children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.deadline import eventually
from tiebreak.embedded.data_directory import Run, locked, open_lock
from tiebreak.embedded.privilege import Privilege, launch_line

READY_SECONDS = 60.0
STOP_SECONDS = 40.0
# Tests come from one address, and faster than people.
LIMITS = {
    "TIEBREAK_LIMIT_PIN_MISSES_PER_MINUTE": "1000000",
    "TIEBREAK_LIMIT_LOGIN_FAILURES_PER_MINUTE": "1000000",
    "TIEBREAK_LIMIT_LOGINS_PER_MINUTE": "1000000",
    "TIEBREAK_LIMIT_JOINS_PER_USER_PER_MINUTE": "1000000",
    "TIEBREAK_LIMIT_GATEWAY_PERCENT": "100000",
}


class System:
    """`tiebreak up` on `data`; start() returns at once, ready() when it serves."""

    def __init__(self, data: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.lines: list[str] = []
        self._arguments = arguments
        self._environ = without_settings(os.environ) | LIMITS | dict(environ or {})

    def start(self) -> None:
        command = [sys.executable, "-m", "tiebreak", "up", "--port", "0", "--data", str(self.data), *self._arguments]
        # Tied to us: a test run that is killed leaves no system behind.
        self.process = subprocess.Popen(
            launch_line(command, signal.SIGTERM, Privilege.KEEP),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environ,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    @property
    def run(self) -> Run:
        """What runs now."""
        return msgspec.json.decode((self.data / "run.json").read_bytes(), type=Run)

    @property
    def base_url(self) -> str:
        return self.run.base_url

    @property
    def database_url(self) -> str:
        return self.run.database_url

    @property
    def redis_url(self) -> str:
        return self.run.redis_url

    def pid(self, child: str) -> int:
        """The process id of a child, which changes when it is started again."""
        return self.run.children[child]

    def said(self, text: str) -> str | None:
        """The first line of the output with this text."""
        return next((line for line in list(self.lines) if text in line), None)

    def ready(self) -> None:
        """Wait until it serves."""
        deadline = time.monotonic() + READY_SECONDS
        while not any(line.startswith("ready http") for line in list(self.lines)):
            assert self.process.poll() is None, f"tiebreak up ended with {self.process.returncode}:\n{self.output}"
            assert time.monotonic() < deadline, f"tiebreak up is not ready:\n{self.output}"
            time.sleep(0.02)

    def says(self, text: str, *, seconds: float = 20.0) -> str:
        """Wait for a line of the output."""
        return eventually(lambda: self.said(text) or "", seconds=seconds)

    def kill(self, child: str) -> None:
        """SIGKILL to a child."""
        os.kill(self.pid(child), signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """A signal to the supervisor alone, as a terminal's Ctrl-C: its children have sessions of their own."""
        self.process.send_signal(number)

    def exit_status(self) -> int:
        """Wait for its end."""
        status = self.process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)
        return status

    def nothing_is_left(self) -> bool:
        """Whether every process it started has ended: they all hold this lock, and those they start."""
        fd = open_lock(self.data / "children.lock")
        try:
            return locked(fd)
        finally:
            os.close(fd)

    def stop(self) -> None:
        """Ctrl-C; AssertionError unless it ends well and leaves no process."""
        if self.process.poll() is None:
            self.signal(signal.SIGINT)
        status = self.exit_status()
        assert status == 0, f"exit status {status}:\n{self.output}"
        assert self.nothing_is_left()


@contextmanager
def running_system(
    data: Path | None = None, *arguments: str, environ: Mapping[str, str] | None = None
) -> Generator[System]:
    """A system that serves, stopped and checked at the end; on a directory of its own unless `data` is given."""
    with tempfile.TemporaryDirectory(prefix="tiebreak-test-") as own:
        system = System(data or Path(own), *arguments, environ=environ)
        system.start()
        try:
            system.ready()
            yield system
        except BaseException:
            system.process.send_signal(signal.SIGTERM)
            system.exit_status()
            raise
        system.stop()


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would make a system another one."""
    return {name: value for name, value in environ.items() if not name.startswith("TIEBREAK_")}
