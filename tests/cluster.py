"""Tiebreak as a cluster has it: every process apart and twice, on Postgres, Redis and Kafka, without a supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deadline import eventually
from tests.kafka_server import free_port
from tests.system import LIMITS, without_settings
from tiebreak.embedded.privilege import Privilege, launch_line

SERVERS = ("auth-server", "app-server")
WORKERS = ("publisher-worker", "cache-worker")


class Cluster:
    """Processes by name: `app-server-1`, `publisher-worker-2`, …"""

    def __init__(self, logs: Path, *, database_url: str, redis_url: str, kafka_servers: str) -> None:
        self.database_url = database_url
        self.redis_url = redis_url
        self.kafka_servers = kafka_servers
        self._logs = logs
        self._ports: dict[str, int] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def names(self) -> list[str]:
        return [*self._processes]

    def url(self, name: str) -> str:
        """Where a process serves; for a worker, its health."""
        return f"http://127.0.0.1:{self._ports[name]}"

    def start(self, name: str) -> None:
        """Start a process and wait until it says that it is ready."""
        kind = name.rpartition("-")[0]
        port = self._ports.setdefault(name, free_port())
        environ = {
            "TIEBREAK_DATABASE_URL": self.database_url,
            "TIEBREAK_REDIS_URL": self.redis_url,
            "TIEBREAK_KAFKA_SERVERS": self.kafka_servers,
            "TIEBREAK_PORT" if kind in SERVERS else "TIEBREAK_HEALTH_PORT": str(port),
        }
        if kind == "app-server":
            environ |= {"TIEBREAK_AUTH_URL": self.url("auth-server-1"), "TIEBREAK_FORWARD_AUTH": "true"}
        with (self._logs / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                launch_line([sys.executable, "-m", "tiebreak", kind], signal.SIGKILL, Privilege.KEEP),
                env=without_settings(os.environ) | LIMITS | environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually(lambda: self.ready(name), seconds=60)

    def ready(self, name: str) -> bool:
        """What GET /readyz says; AssertionError if the process has ended."""
        status = self._processes[name].poll()
        assert status is None, f"{name} ended with {status}:\n{self.said(name)}"
        try:
            with urllib.request.urlopen(f"{self.url(name)}/readyz", timeout=5) as response:
                return response.status == 200
        except OSError:
            return False

    def said(self, name: str) -> str:
        return (self._logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")[-4000:]

    def kill(self, name: str) -> None:
        """SIGKILL; it is not started again."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def terminate(self, name: str) -> None:
        """SIGTERM; AssertionError unless it ends well and soon."""
        self._processes[name].terminate()
        self._ended(name)

    def stop(self) -> None:
        """All at once, as an orchestrator would."""
        for process in self._processes.values():
            process.terminate()
        for name in self.names:
            self._ended(name)

    def _ended(self, name: str) -> None:
        status = self._processes.pop(name).wait(30)
        assert status == 0, f"{name} ended with {status}:\n{self.said(name)}"


@contextmanager
def running_cluster(
    logs: Path, *, database_url: str, redis_url: str, kafka_servers: str, each: int = 2
) -> Iterator[Cluster]:
    """A cluster with so many of every process, all ready."""
    cluster = Cluster(logs, database_url=database_url, redis_url=redis_url, kafka_servers=kafka_servers)
    try:
        for kind in (*SERVERS, *WORKERS):
            for number in range(1, each + 1):
                cluster.start(f"{kind}-{number}")
        yield cluster
        cluster.stop()
    finally:
        for name in cluster.names:
            cluster.kill(name)
