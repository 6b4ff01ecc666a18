"""The programs of the bench: compiled, started on one core, asked, ended."""

from __future__ import annotations

import json
import os
import re
import resource
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MESSAGE = HERE / "leaderboard.json"

# The first run may have to download Node.
START_SECONDS = 180
ANSWER_SECONDS = 120
OTHER_FILES = 200

SERVERS: dict[str, list[str]] = {
    "tiebreak": [sys.executable, "-m", "bench.fanout.servers.tiebreak"],
    "node": ["scripts/with-node", "node", str(HERE / "servers" / "node.mjs")],
    "python-socketio": [sys.executable, "-m", "bench.fanout.servers.python_socketio"],
    "c-loop": ["send_loop"],
}


class BenchFailed(Exception):  # noqa: N818 - says what happened, as everywhere in this code base
    """No figures: the message says why, and what may help."""


def build(directory: Path) -> None:
    """Compile the programs written in C into the directory."""
    compiler = next(filter(None, map(shutil.which, (os.environ.get("CC", ""), "cc", "gcc", "clang"))), None)
    if compiler is None:
        raise BenchFailed("No C compiler: install gcc or clang, or name one in CC. The client is written in C.")
    for name in ("reader", "send_loop"):
        command = [compiler, "-O2", "-o", str(directory / name), str(HERE / f"{name}.c")]
        compiled = subprocess.run(command, capture_output=True, text=True, check=False)
        if compiled.returncode:
            raise BenchFailed(f"{name}.c does not compile:\n{compiled.stderr}")


def allow_files(sockets: int) -> None:
    """Raise the limit of open files, for this process and those it starts, so that so many sockets fit."""
    needed = sockets + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(hard, needed)))
    except (ValueError, PermissionError) as error:
        raise BenchFailed(
            f"{needed} open files are needed and the limit is {hard}: raise it (`ulimit -Hn {needed}` as root, or "
            "`nofile` in /etc/security/limits.conf), or ask for fewer with --sockets and --idle-sockets."
        ) from error


def two_cores() -> tuple[int, int]:
    """One for the server, one for the client."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise BenchFailed("Two cores are needed, one for the server and one for the client.")
    return cores[0], cores[1]


class Disturbance:
    """How much of a core other programs take than the process that is pinned to it."""

    def __init__(self, core: int, process: subprocess.Popen[str]) -> None:
        self._core = core
        self._process = process
        self._started, self._others = time.monotonic(), self._others_seconds()

    def share(self) -> float:
        """Since this object was made."""
        return max(self._others_seconds() - self._others, 0.0) / (time.monotonic() - self._started)

    def _others_seconds(self) -> float:
        found = re.search(rf"^cpu{self._core} (.*)", Path("/proc/stat").read_text(), re.M)
        assert found
        user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = map(int, found[1].split())
        busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        # The clock of another process, as clock_getcpuclockid(3) makes it on Linux.
        return busy - time.clock_gettime(~self._process.pid << 3 | 2)


@contextmanager
def pinned(core: int) -> Generator[None]:
    """Whatever is started meanwhile runs on this core, with all its threads."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def ended(process: subprocess.Popen[str]) -> Generator[None]:
    """Stop it at the end."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Server:
    """A server under test that listens."""

    def __init__(self, process: subprocess.Popen[str], control: Path, log: Path) -> None:
        self.process = process
        self.control = control
        self.log = log
        self.port = self._read_port()

    def _read_port(self) -> int:
        assert self.process.stdout
        deadline = time.monotonic() + START_SECONDS
        while select.select([self.process.stdout], [], [], max(deadline - time.monotonic(), 0))[0]:
            line = self.process.stdout.readline()
            if found := re.fullmatch(r"port (\d+)\n", line):
                return int(found[1])
            if not line:
                break
        raise BenchFailed(f"A server did not start: {self.process.args}\n{self.last_words()}")

    def last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def private_kb(self) -> int:
        """Memory that no other process shares."""
        found = re.findall(r"^Private_\w+: +(\d+) kB", Path(f"/proc/{self.process.pid}/smaps_rollup").read_text(), re.M)
        return sum(map(int, found))


@contextmanager
def server(name: str, core: int, directory: Path) -> Generator[Server]:
    """Start one of SERVERS."""
    control, log = directory / "control", directory / "log"
    control.unlink(missing_ok=True)
    program, *arguments = SERVERS[name]
    if (directory / program).exists():
        program = str(directory / program)
    command = [program, *arguments, str(control), str(MESSAGE)]
    environ = os.environ | {"NODE_ENV": "production"}
    with log.open("wb") as errors, pinned(core):
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=errors, text=True)
    with ended(process):
        yield Server(process, control, log)


class Reader:
    """The client. Its commands are described in reader.c."""

    def __init__(self, process: subprocess.Popen[str], server: Server) -> None:
        self.process = process
        self._server = server

    def ask(self, command: str) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], ANSWER_SECONDS)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            raise BenchFailed(f"The client did not answer `{command}`. The server said:\n{self._server.last_words()}")
        return json.loads(line)

    def open(self, sockets: int) -> None:
        self.ask(f"open {sockets}")
        # A handler of the server may join the room a little after the client is told that it is connected.
        self.idle(1)

    def idle(self, seconds: float) -> None:
        self.ask(f"idle {seconds}")

    def saturate(self, window: int, warm: float, seconds: float) -> dict[str, Any]:
        return self.ask(f"saturate {self._server.process.pid} {window} {warm} {seconds}")

    def pace(self, rate: float, warm: float, seconds: float) -> dict[str, Any]:
        return self.ask(f"pace {self._server.process.pid} {rate} {warm} {seconds}")


@contextmanager
def reader(server: Server, core: int, directory: Path) -> Generator[Reader]:
    """Start the client; its complaints go to our stderr."""
    command = [str(directory / "reader"), str(server.port), str(server.control)]
    with pinned(core):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with ended(process):
        yield Reader(process, server)
