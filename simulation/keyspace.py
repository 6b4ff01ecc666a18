"""The data of a simulated Redis: strings, sorted sets, sets and hashes, and when keys end."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

# A set is a dict whose values mean nothing: dicts have an order that is the same every time.
ZSet = dict[str, float]
Hash = dict[str, str]


class Keyspace:
    """Keys and values. An empty collection is no key."""

    def __init__(self, life: str, now: Callable[[], float]) -> None:
        """`now`: Unix time in seconds."""
        self.life = life
        self.now = now
        self._values: dict[str, Any] = {}
        self._ends: dict[str, float] = {}

    def get(self, key: str) -> Any:  # noqa: ANN401 - a str or a dict, by the key's type
        """The value, or an empty dict that belongs to no key."""
        if key in self._ends and self._ends[key] <= self.now():
            self.delete(key)
        value = self._values.get(key)
        return {} if value is None else value

    def collection(self, key: str) -> dict[str, Any]:
        """To be written to."""
        self.get(key)
        return self._values.setdefault(key, {})

    def set(self, key: str, value: str) -> None:
        self._values[key] = value
        self._ends.pop(key, None)

    def exists(self, key: str) -> bool:
        return bool(self.get(key))

    def delete(self, *keys: str) -> None:
        for key in keys:
            self._values.pop(key, None)
            self._ends.pop(key, None)

    def tidy(self, key: str) -> None:
        """After something was taken out."""
        if not self._values.get(key):
            self.delete(key)

    def ttl(self, key: str) -> int:
        """In seconds, -1 for ever, -2 if there is no such key."""
        if not self.exists(key):
            return -2
        return round(self._ends[key] - self.now()) if key in self._ends else -1

    def expire(self, key: str, seconds: float) -> None:
        if self.exists(key):
            self._ends[key] = self.now() + seconds

    def clear(self) -> None:
        """As FLUSHALL does: the same run of the server goes on."""
        self._values.clear()
        self._ends.clear()

    def copied(self, life: str) -> Keyspace:
        """What another run of the server begins with."""
        copy = Keyspace(life, self.now)
        copy._values = deepcopy(self._values)
        copy._ends = dict(self._ends)
        return copy

    def keys(self) -> list[str]:
        return list(self._values)
