"""A service of compose.yaml as a process on this machine: same command, same settings, other addresses."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.compose.stack import ROOT, arguments, healthcheck, is_ours, services
from tests.compose.stack import environ as filled_in
from tests.deadline import eventually
from tests.kafka_server import free_port
from tests.system import without_settings
from tiebreak.embedded.privilege import Privilege, launch_line

PATH = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"


def names() -> list[str]:
    """The processes that stay, each replica by a name of its own."""
    ours = {name: it for name, it in services(filled_in()).items() if is_ours(it) and "healthcheck" in it}
    return [
        f"{name}/{number}"
        for name, service in ours.items()
        for number in range(1, service.get("deploy", {}).get("replicas", 1) + 1)
    ]


class Addresses:
    """What stands in for the hosts and ports of the compose network, chosen once."""

    def __init__(self, *, database_url: str, redis_url: str, kafka_servers: str) -> None:
        self.services = services(filled_in())
        self.ports: dict[str, int] = {name: free_port() for name in names()}
        passwords = filled_in()
        self._instead = {
            f"postgresql://tiebreak:{passwords['POSTGRES_PASSWORD']}@postgres:5432/tiebreak": database_url,
            f"redis://:{passwords['REDIS_PASSWORD']}@redis:6379/0": redis_url,
            "kafka:9092": kafka_servers,
            "http://auth-server:8001": self.url("auth-server/1"),
            # No Kong runs here. The app server does its part of the way (TIEBREAK_FORWARD_AUTH, below).
            "http://gateway:8000": self.url("app-server-1/1"),
            "auth-server:8001": self.url("auth-server/1").removeprefix("http://"),
            "app-server-1:8000": self.url("app-server-1/1").removeprefix("http://"),
            "app-server-2:8000": self.url("app-server-2/1").removeprefix("http://"),
            "0.0.0.0": "127.0.0.1",
        }

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def translated(self, text: str) -> str:
        """A value with the addresses of this machine; AssertionError if it names a container otherwise."""
        for there, here in self._instead.items():
            if text.startswith(there):
                return here + text.removeprefix(there)
        assert not any(f"{host}:" in text for host in self.services), f"where is {text}?"
        return text

    def environ(self, name: str) -> dict[str, str]:
        """The environment of a service's process: of its settings nothing is left out."""
        service, _, _ = name.partition("/")
        told = {key: self.translated(value) for key, value in self.services[service].get("environment", {}).items()}
        for port in ("TIEBREAK_PORT", "TIEBREAK_HEALTH_PORT"):
            if port in told:
                told[port] = str(self.ports[name])
        if service.startswith("app-server"):
            told["TIEBREAK_FORWARD_AUTH"] = "true"
        return without_settings(os.environ) | {"PATH": PATH} | told

    def command(self, name: str) -> list[str]:
        """The image's entrypoint with a service's command."""
        service, _, _ = name.partition("/")
        program = shutil.which("tiebreak", path=PATH)
        assert program is not None
        return [program, *(self.translated(argument) for argument in arguments(self.services[service]))]

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        """A service that ends by itself."""
        return subprocess.run(
            self.command(name), env=self.environ(name), capture_output=True, text=True, check=False, timeout=60
        )


class Process:
    """A service that stays."""

    def __init__(self, addresses: Addresses, name: str, logs: Path) -> None:
        self.name = name
        self.environ: Mapping[str, str] = addresses.environ(name)
        self._service: Mapping[str, Any] = addresses.services[name.partition("/")[0]]
        self._log = logs / f"{name.replace('/', '-')}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                # Tied to us: a test run that is killed leaves nothing behind.
                launch_line(addresses.command(name), signal.SIGKILL, Privilege.KEEP),
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def healthy(self) -> bool:
        """Whether the service's health check, run as the container would run it, succeeds."""
        assert self._process.poll() is None, f"{self.name} ended with {self._process.returncode}:\n{self.said}"
        return run_healthcheck(self._service, self.environ)

    def wait_until_healthy(self) -> None:
        try:
            eventually(self.healthy, seconds=60)
        except AssertionError as error:
            raise AssertionError(f"{self.name} is not healthy ({error}):\n{self.said}") from None

    def terminate(self) -> None:
        self._process.terminate()

    def exit_status(self, seconds: float) -> int:
        """Wait for its end; AssertionError with its last words if that takes longer."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} has not ended:\n{self.said}") from None

    def kill(self) -> None:
        """If it still runs."""
        self._process.kill()
        self._process.wait()


def run_healthcheck(
    service: Mapping[str, Any], environ: Mapping[str, str], *, instead: Mapping[str, str] | None = None
) -> bool:
    """Run the health check's own command line, with another port where a server of this machine has another."""
    line = healthcheck(service)
    for there, here in (instead or {}).items():
        line = [part.replace(there, here) for part in line]
    return subprocess.run(line, env=dict(environ), capture_output=True, check=False, timeout=30).returncode == 0
