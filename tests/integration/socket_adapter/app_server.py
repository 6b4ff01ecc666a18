"""One more app server beside a running system."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import httpx

from tests.deadline import eventually
from tests.kafka_server import free_port
from tests.system import LIMITS, System, without_settings
from tiebreak.embedded.privilege import Privilege, launch_line

READY_SECONDS = 60.0


class AppServer:
    """`tiebreak app-server` on the stores of a system, always on the same port."""

    def __init__(self, system: System, log: Path, environ: Mapping[str, str]) -> None:
        port = free_port()
        self.base_url = f"http://127.0.0.1:{port}"
        self._log = log
        self._environ = (
            without_settings(os.environ)
            | LIMITS
            | {
                "TIEBREAK_DATABASE_URL": system.database_url,
                "TIEBREAK_REDIS_URL": system.redis_url,
                "TIEBREAK_AUTH_URL": system.base_url,
                "TIEBREAK_PORT": str(port),
            }
            | environ
        )

    def start(self) -> None:
        """Start it and wait until it is ready. It ends with the thread that calls this."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                # Tied to us: a test run that is killed leaves no server behind.
                launch_line([sys.executable, "-m", "tiebreak", "app-server"], signal.SIGKILL, Privilege.KEEP),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environ,
                start_new_session=True,
            )
        eventually(self._ready, seconds=READY_SECONDS)

    def _ready(self) -> bool:
        assert self.lives, f"the app server ended:\n{self.output}"
        try:
            return httpx.get(f"{self.base_url}/readyz", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    @property
    def output(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    @contextmanager
    def killed(self) -> Generator[None]:
        """It is dead meanwhile, and serves again afterwards."""
        self.kill()
        try:
            yield
        finally:
            self.start()


@contextmanager
def app_server(system: System, log: Path, environ: Mapping[str, str] = MappingProxyType({})) -> Generator[AppServer]:
    """An app server that serves, killed at the end."""
    server = AppServer(system, log, environ)
    server.start()
    try:
        yield server
    finally:
        server.kill()
