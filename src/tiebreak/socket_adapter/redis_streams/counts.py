"""What went wrong so far, for the metrics of the process."""

from __future__ import annotations

from collections import Counter

import structlog

log = structlog.get_logger()


class Counts:
    """Numbers since the start; a kind of trouble is logged when it first comes up, and then only counted.

    undecodable_<kind>: messages nobody here can read. failed: messages our own side could not carry out.
    gaps: times entries were gone before we read them. not_appended: messages the stream did not take.
    unpublished: answers PUB/SUB did not take. unsaved: sessions that are no msgpack.
    """

    def __init__(self) -> None:
        self.of: Counter[str] = Counter()

    def add(self, kind: str, error: object = None, *, every: bool = False) -> None:
        """One more of its kind. With `every` it is logged each time."""
        self.of[kind] += 1
        if every or self.of[kind] == 1:
            log.warning(f"cluster.{kind}", error=str(error)[:500], count=self.of[kind])
