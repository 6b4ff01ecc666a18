"""Our own processes: their command lines and what they are told by environment variables."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping

from msgspec import Struct

from tiebreak.embedded.child import Program, Stop

AUTH_SERVER = "auth-server"
APP_SERVER = "app-server"
NAMES = (AUTH_SERVER, APP_SERVER, "publisher-worker", "cache-worker")
STOPS = (Stop(signal.SIGTERM, 10),)


class Wiring(Struct, frozen=True, kw_only=True):
    """What connects the processes. The listening sockets are ours and inherited."""

    database_url: str
    redis_url: str
    host: str
    port: int
    listen_fd: int
    auth_url: str
    auth_port: int
    auth_listen_fd: int
    lock_fd: int


def programs(wiring: Wiring, environ: Mapping[str, str]) -> list[Program]:
    """The four processes. Killed with us they may be: every one of them is made to survive that."""
    inherited = {name: value for name, value in environ.items() if name != "TIEBREAK_LISTEN_FD"}
    return [
        Program(
            name=name,
            command=(sys.executable, "-P", "-m", "tiebreak", name),
            stops=STOPS,
            death_signal=signal.SIGKILL,
            environ=inherited | told(name, wiring),
            pass_fds=(wiring.lock_fd, *listening(name, wiring)),
        )
        for name in NAMES
    ]


def told(name: str, wiring: Wiring) -> dict[str, str]:
    """The settings of a process."""
    stores = {"TIEBREAK_DATABASE_URL": wiring.database_url, "TIEBREAK_REDIS_URL": wiring.redis_url}
    if name == AUTH_SERVER:
        return stores | {
            "TIEBREAK_HOST": "127.0.0.1",
            "TIEBREAK_PORT": str(wiring.auth_port),
            "TIEBREAK_LISTEN_FD": str(wiring.auth_listen_fd),
        }
    if name == APP_SERVER:
        return stores | {
            "TIEBREAK_HOST": wiring.host,
            "TIEBREAK_PORT": str(wiring.port),
            "TIEBREAK_LISTEN_FD": str(wiring.listen_fd),
            "TIEBREAK_AUTH_URL": wiring.auth_url,
            "TIEBREAK_FORWARD_AUTH": "true",
        }
    return stores


def listening(name: str, wiring: Wiring) -> tuple[int, ...]:
    """The sockets a process inherits."""
    return {AUTH_SERVER: (wiring.auth_listen_fd,), APP_SERVER: (wiring.listen_fd,)}.get(name, ())
