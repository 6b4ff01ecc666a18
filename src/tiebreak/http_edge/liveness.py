"""Whether a worker's loop still goes round."""

from __future__ import annotations

from typing import Protocol

from tiebreak.clock import Clock
from tiebreak.errors import LoopStuck

STUCK_SECONDS = 30.0


class Loop(Protocol):
    """A loop that notes when it went round last (Clock.monotonic)."""

    stepped_at: float


async def goes_round(loop: Loop, clock: Clock) -> None:
    """A check for Doctor. Raises LoopStuck after STUCK_SECONDS without a round."""
    seconds = clock.monotonic() - loop.stepped_at
    if seconds > STUCK_SECONDS:
        raise LoopStuck(f"The last round was {seconds:.0f} s ago.")
