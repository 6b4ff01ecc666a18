"""One process of ours: started, known to be ready, stopped; its output in a file."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from msgspec import Struct

from tiebreak.embedded.privilege import Privilege, launch_line
from tiebreak.errors import EmbeddedServerFailed

READY_SECONDS = 60.0
PROBE_SECONDS = 0.02
LAST_LINES = 12
LOG_BYTES = 10 * 1024 * 1024


class Stop(Struct, frozen=True):
    """A signal that asks a process to end, and how long it may take before something stronger comes."""

    signal: signal.Signals
    seconds: float


class Program(Struct, frozen=True, kw_only=True):
    """What to run and how to end it; after the last stop comes SIGKILL.

    `death_signal` is what it gets when we die without a chance to stop it.
    """

    name: str
    command: tuple[str, ...]
    stops: tuple[Stop, ...]
    death_signal: signal.Signals
    privilege: Privilege = Privilege.KEEP
    environ: Mapping[str, str] | None = None
    pass_fds: tuple[int, ...] = ()


class Child:
    """A program under our care. Not for several tasks at once, except `ended`."""

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self.log = log
        self._process: Process | None = None

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C in a terminal reaches only us."""
        program = self.program
        line = launch_line(program.command, program.death_signal, program.privilege)
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *line,
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
                start_new_session=True,
                pass_fds=program.pass_fds,
                env=program.environ,
            )

    async def answers(self, ping: Callable[[], Awaitable[bool]], *, seconds: float = READY_SECONDS) -> None:
        """Wait until `ping` is true.

        Raises EmbeddedServerFailed, with the last lines of the log, if the process ends first or time is up.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while not await ping():
            if not self.running:
                raise EmbeddedServerFailed(self.obituary())
            if asyncio.get_running_loop().time() > deadline:
                raise EmbeddedServerFailed(f"{self.name} did not answer within {seconds:.0f} s.{quoted(self.log)}")
            await asyncio.sleep(PROBE_SECONDS)

    async def ended(self) -> str:
        """Wait for the end of the process; how it ended, in words."""
        if self._process is None:
            return "was not started"
        return ending(await self._process.wait())

    def obituary(self) -> str:
        """How the process ended and what it said last."""
        status = None if self._process is None else self._process.returncode
        return f"{self.name} {'has not ended' if status is None else ending(status)}.{quoted(self.log)}"

    async def stop(self, hurry: asyncio.Event | None = None) -> None:
        """End the process: gently, less gently, surely. `hurry` skips what is left of the waiting. Idempotent."""
        process = self._process
        if process is None:
            return
        for step in self.program.stops:
            if process.returncode is not None:
                return
            process.send_signal(step.signal)
            await first(process.wait(), hurry, seconds=step.seconds)
        if process.returncode is None:
            kill_group(process.pid)
            await process.wait()


async def first(wait: Awaitable[int], hurry: asyncio.Event | None, *, seconds: float) -> None:
    """Wait for the first of: an end, an order to hurry, the time."""
    waits = {asyncio.ensure_future(wait)}
    if hurry is not None:
        waits.add(asyncio.ensure_future(in_a_hurry(hurry)))
    _, pending = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()


async def in_a_hurry(hurry: asyncio.Event) -> int:
    await hurry.wait()
    return 0


def kill_group(pid: int) -> None:
    """SIGKILL to the session a process leads."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def ending(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        return f"ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"ended by signal {-status}"


def quoted(log: Path) -> str:
    """The last lines of a log, for the end of a message."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            lines = file.read().decode(errors="replace").splitlines()[-LAST_LINES:]
    except OSError:
        lines = []
    if not lines:
        return f" It wrote nothing to {log}."
    return f" The last lines of {log}:\n" + "\n".join(f"    {line}" for line in lines)


def turn_over(log: Path) -> None:
    """Put a log that has grown large aside, over the one put aside before."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
