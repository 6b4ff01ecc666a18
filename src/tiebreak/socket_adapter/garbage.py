"""Python's garbage collector, kept from looking at thousands of connections again and again.

A full collection with 10,000 sockets stops the loop for about 100 ms. What is frozen is not looked at, and is freed all
the same once nothing refers to it; only cycles that break off from frozen objects would stay. Connections leave none
(tests/integration/socket_core), and everything is looked at when nobody is connected.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

LOOK_SECONDS = 0.25
FREEZE_EVERY = 250
# Collections of the young are rarer than by default: a broadcast leaves no garbage.
THRESHOLDS = (10_000, 20, 50)


async def tend_garbage(count_opened: Callable[[], int], count_open: Callable[[], int]) -> None:
    """Freeze what has come together since the last time, for ever."""
    gc.set_threshold(*THRESHOLDS)
    gc.collect()
    gc.freeze()
    frozen_at = count_opened()
    has_frozen = False
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if has_frozen and not count_open():
            gc.unfreeze()
            gc.collect()
            has_frozen = False
        elif count_opened() - frozen_at >= FREEZE_EVERY:
            gc.collect(1)
            has_frozen = True
        else:
            continue
        gc.freeze()
        frozen_at = count_opened()
