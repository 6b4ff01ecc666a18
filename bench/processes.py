"""Programs under measurement: compiled, started on one core, heard, ended."""

from __future__ import annotations

import os
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tiebreak.embedded.privilege import Privilege, launch_line

ROOT = Path(__file__).parents[1]

# The first run may have to download Node.
START_SECONDS = 180
OTHER_FILES = 200


class BenchFailed(Exception):  # noqa: N818 - says what happened, as everywhere in this code base
    """No figures: the message says why, and what may help."""


def say(text: str) -> None:
    """Progress: figures go to standard output, this does not."""
    print(text, file=sys.stderr, flush=True)


def compile_c(source: Path, directory: Path) -> Path:
    """The program made from a file written in C."""
    compiler = next(filter(None, map(shutil.which, (os.environ.get("CC", ""), "cc", "gcc", "clang"))), None)
    if compiler is None:
        raise BenchFailed("No C compiler: install gcc or clang, or name one in CC. The client is written in C.")
    program = directory / source.stem
    command = [compiler, "-O2", "-I", str(ROOT / "bench"), "-o", str(program), str(source)]
    compiled = subprocess.run(command, capture_output=True, text=True, check=False)
    if compiled.returncode:
        raise BenchFailed(f"{source.name} does not compile:\n{compiled.stderr}")
    return program


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
            "`nofile` in /etc/security/limits.conf), or ask for fewer sockets."
        ) from error


def two_cores() -> tuple[int, int]:
    """One for the server, one for the client."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise BenchFailed("Two cores are needed, one for the server and one for the client.")
    return cores[0], cores[1]


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
    """A server under test that listens: it has said `port …` on its standard output."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
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
def serving(command: Sequence[str], core: int, log: Path) -> Generator[Server]:
    """Start a server on a core; it is ended at the end, and tied to us: killed, we leave nothing behind."""
    environ = os.environ | {"NODE_ENV": "production"}
    with log.open("wb") as errors, pinned(core):
        line = launch_line(command, signal.SIGTERM, Privilege.KEEP)
        process = subprocess.Popen(line, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=errors, text=True)
    with ended(process):
        yield Server(process, log)
