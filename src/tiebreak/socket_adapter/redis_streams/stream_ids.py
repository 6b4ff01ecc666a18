"""Ids of entries, and what of a stream can be missing."""

from __future__ import annotations

import re
from typing import NamedTuple

NOTHING = "0-0"
OFFSET = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")


def order(entry_id: str) -> tuple[int, int]:
    """By this ids compare: milliseconds, then the count within one."""
    ms, _, count = entry_id.partition("-")
    return int(ms), int(count)


class StreamState(NamedTuple):
    """What XINFO STREAM says."""

    last_id: str
    first_id: str | None
    # All entries there ever were, those trimmed too; None if Redis is older than 7.
    added: int | None
    length: int


class Gap(NamedTuple):
    """Entries are gone that nobody here has read; reading goes on after `position`."""

    reason: str
    position: str


def gap_after(position: str, state: StreamState | None) -> Gap | None:
    """What somebody who has read up to `position` has missed. `state` is None if there is no such stream.

    A stream whose last id is before ours has been emptied, or is that of a replica that had not heard of everything:
    reading on from ours would wait for ever.
    """
    if state is None:
        return None if position == NOTHING else Gap("emptied", NOTHING)
    if order(state.last_id) < order(position):
        return Gap("younger", state.last_id)
    if state.first_id is None:
        return None if state.last_id == position else Gap("trimmed", state.last_id)
    if order(state.first_id) <= order(position):
        return None
    if position == NOTHING and (state.added is None or state.added == state.length):
        return None
    return Gap("trimmed", position)
