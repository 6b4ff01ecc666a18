"""The servers under test, one program each: ours and Node's reference, started alike."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

ROOT = Path(__file__).parents[2]
PROGRAMS = {
    "Tiebreak": [sys.executable, str(ROOT / "tests" / "conformance" / "server.py")],
    "Node": [str(ROOT / "scripts" / "with-node"), "node", str(ROOT / "tests" / "node" / "conformance_server.mjs")],
}
MAX_PAYLOAD_BYTES = 1_000_000
SLOW = {
    "ping_interval_ms": 25_000,
    "ping_timeout_ms": 20_000,
    "upgrade_timeout_ms": 10_000,
    "connect_timeout_ms": 45_000,
    "max_payload_bytes": MAX_PAYLOAD_BYTES,
}
# A program listens once for each of these. "fast" is what the official suites ask for.
LISTENERS = {
    "fast": SLOW | {"ping_interval_ms": 300, "ping_timeout_ms": 200, "connect_timeout_ms": 1_000},
    "slow": SLOW,
    "impatient": SLOW | {"upgrade_timeout_ms": 300, "connect_timeout_ms": 1_000},
}


class Endpoint(NamedTuple):
    """Where one of the two protocols is spoken."""

    port: int
    path: str

    def target(self, **query: str | None) -> str:
        """What stands in a request line; EIO=4 unless told otherwise, None leaves a parameter out."""
        return f"{self.path}?{urlencode({k: v for k, v in {'EIO': '4', **query}.items() if v is not None})}"


class Server:
    """A running program."""

    def __init__(self, process: subprocess.Popen[bytes], errors: Path, ports: dict[str, int]) -> None:
        self._process = process
        self._errors = errors
        self._ports = ports

    def engine(self, listener: str) -> Endpoint:
        return Endpoint(self._ports[listener], "/engine.io/")

    def socket(self, listener: str) -> Endpoint:
        return Endpoint(self._ports[listener], "/socket.io/")

    def complaints(self) -> str:
        """What it wrote to standard error: nothing, while all goes well."""
        return self._errors.read_text(encoding="utf-8", errors="replace")

    def is_running(self) -> bool:
        return self._process.poll() is None


@contextmanager
def running(kind: str, folder: Path) -> Iterator[Server]:
    """The program of that kind, listening; it ends when its standard input is closed."""
    errors = folder / f"{kind}.log"
    with (
        errors.open("wb") as log,
        subprocess.Popen(
            [*PROGRAMS[kind], json.dumps(LISTENERS)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        try:
            first_line = process.stdout.readline()
            assert first_line, f"{kind} ended before it listened:\n{errors.read_text(encoding='utf-8')}"
            yield Server(process, errors, json.loads(first_line))
            process.stdin.close()
            process.wait(10)
        finally:
            process.kill()
