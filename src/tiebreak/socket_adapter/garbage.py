"""Python's garbage collector, kept from looking at thousands of connections again and again.

A full collection with 10,000 sockets stops the loop for about 100 ms. What is frozen is not looked at, and is freed all
the same once nothing refers to it; only cycles that break off from frozen objects would stay. Connections leave none
(tests/integration/socket_core), and when most of them are gone everything is looked at once.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

LOOK_SECONDS = 1.0
FREEZE_EVERY = 1_000
# Collections of the young are rarer than by default: a broadcast leaves no garbage.
THRESHOLDS = (10_000, 20, 50)


async def tend_garbage(count_opened: Callable[[], int], count_open: Callable[[], int]) -> None:
    """Freeze what has come together since the last time, for ever."""
    gc.set_threshold(*THRESHOLDS)
    gc.collect()
    gc.freeze()
    frozen_at = count_opened()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        since = count_opened() - frozen_at
        if since < FREEZE_EVERY:
            continue
        if count_open() < FREEZE_EVERY:
            gc.unfreeze()
            gc.collect()
        else:
            gc.collect(1)
        gc.freeze()
        frozen_at = count_opened()
