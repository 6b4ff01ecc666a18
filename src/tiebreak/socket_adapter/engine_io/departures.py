"""Connections that were lost, ended a few in each turn of the loop: thousands may drop in the same moment."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

PORTION = 100


class Departures:
    """Calls back in order, soon."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def append(self, depart: Callable[[], None]) -> None:
        """`depart` does what is to be done. What it raises is its own affair: the others depart all the same."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._turn)
        self._waiting.append(depart)

    def _turn(self) -> None:
        try:
            for _ in range(min(PORTION, len(self._waiting))):
                self._waiting.popleft()()
        finally:
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._turn)
