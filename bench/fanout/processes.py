"""The programs of the fan-out bench: servers by name, and the client."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.processes import BenchFailed, Server, compile_c, ended, pinned, serving

HERE = Path(__file__).parent
MESSAGE = HERE / "leaderboard.json"
ANSWER_SECONDS = 120

SERVERS: dict[str, list[str]] = {
    "tiebreak": [sys.executable, "-m", "bench.fanout.servers.tiebreak"],
    "node": ["scripts/with-node", "node", str(HERE / "servers" / "node.mjs")],
    "python-socketio": [sys.executable, "-m", "bench.fanout.servers.python_socketio"],
    "c-loop": ["send_loop"],
}


def build(directory: Path) -> None:
    """Compile the programs written in C into the directory."""
    for name in ("reader", "send_loop"):
        compile_c(HERE / f"{name}.c", directory)


def control_of(directory: Path) -> Path:
    """Where a server is told to make broadcasts."""
    return directory / "control"


@contextmanager
def server(name: str, core: int, directory: Path) -> Generator[Server]:
    """Start one of SERVERS."""
    control = control_of(directory)
    control.unlink(missing_ok=True)
    program, *arguments = SERVERS[name]
    if (directory / program).exists():
        program = str(directory / program)
    with serving([program, *arguments, str(control), str(MESSAGE)], core, directory / "log") as started:
        yield started


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
    command = [str(directory / "reader"), str(server.port), str(control_of(directory))]
    with pinned(core):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with ended(process):
        yield Reader(process, server)
