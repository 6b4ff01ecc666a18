"""What happened in a schedule, in order: the same seed gives the same, byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256


class History:
    """Entries are kept as they are, and made text only for who wants to read them."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._entries: list[tuple[float, str, str, object]] = []

    def add(self, who: str, what: str, detail: object = "") -> None:
        self._entries.append((self._now(), who, what, detail))

    def lines(self) -> Iterator[str]:
        for at, who, what, detail in self._entries:
            yield f"{at:10.6f}  {who:<12} {what}  {detail}"

    def digest(self) -> str:
        """Of all lines."""
        return sha256("\n".join(self.lines()).encode()).hexdigest()

    def __len__(self) -> int:
        return len(self._entries)
