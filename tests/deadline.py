"""Waiting for what another process does: as short as possible, at most so long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def eventually(look: Callable[[], Found], *, seconds: float = 20.0) -> Found:
    """What `look` finds, as soon as that is true; AssertionError when time is up."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {look}"
        time.sleep(0.02)
    return found
