"""One of Tiebreak's processes as an orchestrator runs it: started again whenever it ends, asked whether it is ready."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

import aiohttp

from chaos.stepped_clock import SteppedClock
from tests.kafka_server import free_port
from tests.system import without_settings
from tiebreak.embedded.child import Child, Program, Stop, quoted

# A process that ended at once is not started at once again.
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 2.0
LIVED_SECONDS = 5.0
# Longer than a process takes that must wait for a server that hangs.
STOP_SECONDS = 25.0
# Ends that are documented: what it stands on is away while it starts, or its bus's client cannot go on (errors.py).
DOCUMENTED = ("does not answer", "cannot go on", "cannot be read from", "could not be made on Kafka")
SERVERS = ("auth-server", "app-server")


class Process:
    """`incidents` are the ends that nobody asked for and nothing explains; `restarts` counts the documented ones."""

    def __init__(self, name: str, environ: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.kind = name.rpartition("-")[0]
        self.clock = SteppedClock(folder / f"{name}.clock")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.incidents: list[str] = []
        self.restarts = 0
        port = "TIEBREAK_PORT" if self.kind in SERVERS else "TIEBREAK_HEALTH_PORT"
        program = Program(
            name=name,
            command=(sys.executable, "-m", "chaos.stepped_clock", str(self.clock.file), self.kind),
            stops=(Stop(signal.SIGTERM, STOP_SECONDS),),
            death_signal=signal.SIGKILL,
            environ=without_settings(os.environ) | environ | {port: str(self.port), "PYTHONPATH": python_path()},
        )
        self._child = Child(program, folder / f"{name}.log")
        self._expected = False
        self._started = 0.0
        self._care: asyncio.Task[None] | None = None

    @property
    def log(self) -> Path:
        return self._child.log

    @property
    def pid(self) -> int | None:
        """None while it does not run."""
        return self._child.pid if self._child.running else None

    def start(self) -> None:
        """Run it from now on."""
        self._care = asyncio.create_task(self._keep_running())

    async def kill(self) -> None:
        """SIGKILL; it is started again."""
        await self._end(signal.SIGKILL)

    async def terminate(self) -> None:
        """SIGTERM, and wait for the end; it is started again."""
        await self._end(signal.SIGTERM)

    async def stop(self) -> None:
        """For good."""
        if self._care:
            self._care.cancel()
            await asyncio.gather(self._care, return_exceptions=True)
        await self._child.stop()

    async def ready(self, http: aiohttp.ClientSession) -> bool:
        """What GET /readyz says."""
        try:
            async with http.get(f"{self.url}/readyz", timeout=aiohttp.ClientTimeout(total=5)) as response:
                return response.status == 200
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    async def _end(self, number: signal.Signals) -> None:
        while self.pid is None:  # between two lives
            await asyncio.sleep(0.05)
        self._expected = True
        os.kill(self.pid, number)
        ended = asyncio.ensure_future(self._child.ended())
        done, _ = await asyncio.wait({ended}, timeout=STOP_SECONDS)
        if not done:
            self.incidents.append(f"{self.name} did not end within {STOP_SECONDS:.0f} s of SIGTERM")
            os.kill(self.pid, signal.SIGKILL)
            await ended
        elif number is signal.SIGTERM:
            how = ended.result()
            # Before it listens to signals it may end by them.
            is_young = perf_counter() - self._started < LIVED_SECONDS
            if how != "ended with exit status 0" and not (is_young and how == "ended by SIGTERM"):
                self._explain(how)

    async def _keep_running(self) -> None:
        pause = SHORTEST_PAUSE_SECONDS
        while True:
            self._started = perf_counter()
            await self._child.start()
            how = await self._child.ended()
            if not self._expected:
                self._explain(how)
            self._expected = False
            lived = perf_counter() - self._started > LIVED_SECONDS
            pause = SHORTEST_PAUSE_SECONDS if lived else min(pause * 2, LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(pause)

    def _explain(self, how: str) -> None:
        said = quoted(self.log)
        last = said.rpartition("\n")[2].strip()
        # A Fault that ends a process is told in a sentence, its last one.
        if last.startswith("tiebreak: ") and any(words in last for words in DOCUMENTED):
            self.restarts += 1
        else:
            self.incidents.append(f"{self.name} {how}.{said}")


def python_path() -> str:
    """What we were told ourselves first: it may name another Tiebreak than the installed one (tests/mutants)."""
    return os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), str(root())]))


def root() -> Path:
    return Path(__file__).parents[1]
