"""How long to wait before trying again, and when to give up."""

from __future__ import annotations

from random import Random

# From the moment an answer was due. A player has put the phone away by then.
GIVE_UP_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0


def pause_seconds(attempt: int, asked_seconds: float, random: Random) -> float:
    """Before the attempt after this one (the first is 1): doubling, spread by half, not less than was asked for."""
    pause = min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS)
    return asked_seconds + pause * (0.5 + random.random() / 2)
