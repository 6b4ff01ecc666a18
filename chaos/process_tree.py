"""Signals to a process with all below it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterable
from contextlib import suppress

from bench.cpu_time import descendants, stat_of


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


async def frozen(pid: int, seconds: float) -> None:
    """SIGSTOP to the process and its children for so long."""
    family = descendants(pid)
    signal_all(family, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        signal_all(family, signal.SIGCONT)


async def gone(pids: Iterable[int], *, seconds: float = 30.0) -> None:
    """Wait until none of them runs. Raises TimeoutError."""
    left = set(pids)
    async with asyncio.timeout(seconds):
        while left := {pid for pid in left if (stat := stat_of(pid)) and stat[0] != "Z"}:
            await asyncio.sleep(0.02)
