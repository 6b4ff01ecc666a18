"""How often a room is told of changes: ten times a second, and less often where that would cost too much.

Of the messages to a room only the newest matters, so the way to keep up with a large room, or on a busy machine, is
to send fewer.
"""

from __future__ import annotations

TICK_SECONDS = 0.1
# A screen that stands still for longer than this looks broken.
LONGEST_TICK_SECONDS = 1.0
# Two kinds of messages for each tick, 6 µs each (bench/RESULTS.md), within a fifth of a core.
SECONDS_PER_RECIPIENT = 2 * 6e-6 / 0.2
# A sender that is late has more to do than it can: its ticks are at least this many times its lag apart.
LAGS = 4


def interval_seconds(recipients: int, *, servers: int = 1, lag_seconds: float = 0.0) -> float:
    """How long a room is left alone after it was told.

    `servers`: how many send the same kind of message to it, unaware of each other. `lag_seconds`: how late the
    sender was last, in waking up or in telling.
    """
    alone = max(TICK_SECONDS, recipients * SECONDS_PER_RECIPIENT, lag_seconds * LAGS)
    return min(alone, LONGEST_TICK_SECONDS) * max(1, servers)
