"""Our own processes: their command lines and what they are told by environment variables."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping

from msgspec import Struct

from tiebreak.embedded.child import Program, Stop

AUTH_SERVER = "auth-server"
APP_SERVER = "app-server"
WORKERS = ("publisher-worker", "cache-worker")
STOPS = (Stop(signal.SIGTERM, 10),)
LOOPBACK = "127.0.0.1"


class Wiring(Struct, frozen=True, kw_only=True):
    """What connects the processes. The listening sockets are ours and inherited.

    With `app_ports`, a gateway has `host` and `port`, and behind it an app server binds each of these itself: while
    one is started again its connections must be refused, not wait. Without, the one app server has `host` and `port`.
    """

    database_url: str
    redis_url: str
    host: str
    port: int
    listen_fd: int
    auth_url: str
    auth_port: int
    auth_listen_fd: int
    lock_fd: int
    app_ports: tuple[int, ...] = ()


class Instance(Struct, frozen=True):
    """One run of a process: the name it goes by, what `tiebreak` calls it, and its settings and sockets."""

    name: str
    process: str
    settings: dict[str, str] = {}
    fds: tuple[int, ...] = ()


def programs(wiring: Wiring, environ: Mapping[str, str]) -> list[Program]:
    """All processes. Killed with us they may be: every one of them is made to survive that."""
    inherited = {name: value for name, value in environ.items() if name != "TIEBREAK_LISTEN_FD"}
    stores = {"TIEBREAK_DATABASE_URL": wiring.database_url, "TIEBREAK_REDIS_URL": wiring.redis_url}
    return [
        Program(
            name=one.name,
            command=(sys.executable, "-P", "-m", "tiebreak", one.process),
            stops=STOPS,
            death_signal=signal.SIGKILL,
            environ=inherited | stores | one.settings,
            pass_fds=(wiring.lock_fd, *one.fds),
        )
        for one in instances(wiring)
    ]


def instances(wiring: Wiring) -> list[Instance]:
    """What runs, in the order it is started."""
    auth = listening(LOOPBACK, wiring.auth_port, wiring.auth_listen_fd) | behind_gateway(wiring)
    return [
        Instance(AUTH_SERVER, AUTH_SERVER, auth, (wiring.auth_listen_fd,)),
        *app_servers(wiring),
        *(Instance(name, name) for name in WORKERS),
    ]


def app_servers(wiring: Wiring) -> list[Instance]:
    auth_url = {"TIEBREAK_AUTH_URL": wiring.auth_url}
    if not wiring.app_ports:
        alone = listening(wiring.host, wiring.port, wiring.listen_fd) | {"TIEBREAK_FORWARD_AUTH": "true"}
        return [Instance(APP_SERVER, APP_SERVER, auth_url | alone, (wiring.listen_fd,))]
    return [
        Instance(
            f"{APP_SERVER}-{number}",
            APP_SERVER,
            auth_url | listening(LOOPBACK, port) | behind_gateway(wiring),
        )
        for number, port in enumerate(wiring.app_ports, 1)
    ]


def listening(host: str, port: int, listen_fd: int | None = None) -> dict[str, str]:
    inherited = {} if listen_fd is None else {"TIEBREAK_LISTEN_FD": str(listen_fd)}
    return {"TIEBREAK_HOST": host, "TIEBREAK_PORT": str(port)} | inherited


def behind_gateway(wiring: Wiring) -> dict[str, str]:
    """The gateway says where calls come from and routes log-ins itself."""
    return {"TIEBREAK_TRUSTED_PROXIES": LOOPBACK, "TIEBREAK_FORWARD_AUTH": "false"} if wiring.app_ports else {}
