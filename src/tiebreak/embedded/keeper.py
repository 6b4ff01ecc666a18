"""Keeps a child running: whatever ended it, it is started again, less and less eagerly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tiebreak.embedded.child import Child
from tiebreak.errors import EmbeddedServerFailed

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
GOOD_LIFE_SECONDS = 10.0


class Backoff:
    """Pauses between starts: doubling, and short again after a good life."""

    def __init__(self) -> None:
        self._next = FIRST_PAUSE_SECONDS

    def after(self, life_seconds: float) -> float:
        """How long to wait after a life of so many seconds."""
        if life_seconds >= GOOD_LIFE_SECONDS:
            self._next = FIRST_PAUSE_SECONDS
        pause = self._next
        self._next = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return pause


class Keeper:
    """A running child, how to know that it answers again after a restart, and whom to tell."""

    def __init__(
        self,
        child: Child,
        *,
        say: Callable[[str], None],
        restarted: Callable[[], None],
        ready: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.child = child
        self._say = say
        self._restarted = restarted
        self._ready = ready

    async def keep(self) -> None:
        """Until cancelled, which leaves the child as it is."""
        clock = asyncio.get_running_loop().time
        backoff = Backoff()
        while True:
            started = clock()
            ending = await self.child.ended()
            pause = backoff.after(clock() - started)
            self._say(f"{self.child.name} {ending}; starting it again (log: {self.child.log})")
            await asyncio.sleep(pause)
            await self.child.start()
            self._restarted()
            await self._wait_until_ready()

    async def _wait_until_ready(self) -> None:
        if self._ready is None:
            return
        try:
            await self._ready()
        except EmbeddedServerFailed as failure:
            self._say(str(failure))
        else:
            self._say(f"{self.child.name} answers again")
