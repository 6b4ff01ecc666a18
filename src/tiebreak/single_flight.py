"""Work that many ask for at once, done once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


class SingleFlight(Generic[Key, Result]):
    """Whoever asks while the work for the same key is under way gets its result, or its error.

    Whoever asks later begins anew. One who gives up waiting does not disturb the others.
    """

    def __init__(self) -> None:
        self._flights: dict[Key, asyncio.Task[Result]] = {}

    async def do(self, key: Key, work: Callable[[], Awaitable[Result]]) -> Result:
        """The result of `work`, ours or that of whoever came first."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._fly(key, work))
            flight.add_done_callback(take_note)
        return await asyncio.shield(flight)

    async def _fly(self, key: Key, work: Callable[[], Awaitable[Result]]) -> Result:
        try:
            return await work()
        finally:
            del self._flights[key]


def take_note(flight: asyncio.Task[Result]) -> None:
    """An error is nobody's surprise when all who waited for it are gone."""
    if not flight.cancelled():
        flight.exception()
