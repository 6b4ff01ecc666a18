"""How loops without end deal with an absent Redis, and how they end all the same."""

from __future__ import annotations

import asyncio
import random


class Backoff:
    """Longer each time up to `longest_seconds`, and never quite alike on all servers."""

    def __init__(self, first_seconds: float = 0.1, longest_seconds: float = 2.0) -> None:
        self._first_seconds = first_seconds
        self._longest_seconds = longest_seconds
        self._seconds = first_seconds

    def next_seconds(self) -> float:
        seconds = self._seconds
        self._seconds = min(seconds * 2, self._longest_seconds)
        return seconds * random.uniform(0.5, 1.0)  # noqa: S311

    def reset(self) -> None:
        self._seconds = self._first_seconds


def end_if_cancelled() -> None:
    """Raises CancelledError if this task was cancelled and has not noticed.

    redis-py sends with asyncio.wait_for, which in Python 3.11 swallows a cancellation that comes just when it is done
    (https://github.com/python/cpython/issues/81839).
    """
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError
