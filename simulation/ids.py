"""Ids and epochs that follow from the seed, put in the place of those that follow from nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from random import Random
from unittest.mock import patch
from uuid import UUID


class Ids:
    """UUIDv7 of virtual time."""

    def __init__(self, random: Random, now_ms: Callable[[], int]) -> None:
        self._random = random
        self._now_ms = now_ms

    def new(self) -> UUID:
        random = self._random.getrandbits(74)
        return UUID(int=self._now_ms() << 80 | 7 << 76 | (random >> 62) << 64 | 2 << 62 | random & (1 << 62) - 1)

    def new_epoch(self) -> str:
        return f"{self._random.getrandbits(64):016x}"

    def new_life(self) -> str:
        return f"{self._random.getrandbits(160):040x}"


@contextmanager
def foretold(ids: Ids) -> Generator[None]:
    """The product takes its ids and epochs from there."""
    with (
        patch("tiebreak.ids.uuid7", ids.new),
        patch("tiebreak.cache.leaderboard.new_epoch", ids.new_epoch),
    ):
        yield
