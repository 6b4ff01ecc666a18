"""Waiting for what other tasks and processes do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


async def until(found: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What it finds, as soon as that is true; AssertionError when time is up."""
    try:
        async with asyncio.timeout(seconds):
            while not (result := found()):
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s") from None
    return result
