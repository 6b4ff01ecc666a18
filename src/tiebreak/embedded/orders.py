"""Signals to the supervisor, and work that ends when one comes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine

HURRY_SECONDS = 1.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Orders:
    """What signals mean: the first one stops, another one a second later hurries.

    Not the very next: `make` and a terminal may both deliver the same Ctrl-C.
    """

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.hurry = asyncio.Event()
        self._stopped_at = 0.0

    def __enter__(self) -> Orders:
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self.receive)
        return self

    def __exit__(self, *_: object) -> None:
        for number in SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(number)

    def receive(self) -> None:
        now = asyncio.get_running_loop().time()
        if not self.stop.is_set():
            self._stopped_at = now
            self.stop.set()
        elif now - self._stopped_at > HURRY_SECONDS:
            self.hurry.set()


async def until(stop: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Run `work` until it ends or `stop` is set; raises what it raises."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    working.cancel()
    await asyncio.wait({working})
    if not working.cancelled() and (error := working.exception()) is not None:
        raise error
