"""The recent broadcasts of a namespace, by room: what a client that comes back has missed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Iterable
from typing import NamedTuple

from tiebreak.socket_adapter.redis_streams.stream_ids import NOTHING, order

MAX_COUNT = 10_000
MAX_BYTES = 16 << 20
# About what Python needs for an entry, and for each room it is listed under.
ENTRY_BYTES = 300
ROOM_BYTES = 80
# Ids are Redis' time, whose clock may differ from ours by so much.
SETTLED_MS = 5_000
# Broadcasts to nobody in particular are listed here, and so is what nobody could read.
EVERYBODY = None

Rooms = Collection[str]


class Incomplete(Exception):
    """What was missed is not known completely, or is too much."""


class Kept(NamedTuple):
    """A broadcast as the stream has it; `data` is None if nobody can read it."""

    at: int
    id: str
    rooms: tuple[str | None, ...]
    except_: tuple[str, ...]
    data: bytes | None

    @property
    def size_bytes(self) -> int:
        return ENTRY_BYTES + ROOM_BYTES * len(self.rooms) + len(self.data or b"")


class Ring:
    """Everything broadcast after `base`, the id of the newest entry that is not here any more."""

    def __init__(self, base: str, *, max_count: int = MAX_COUNT, max_bytes: int = MAX_BYTES) -> None:
        self.base = base
        # What came up to here is not known completely, from the stream neither.
        self.lost_until = NOTHING
        self.losses = 0
        # After a loss, positions up to here say nothing about what was broadcast after them.
        self._untold_until = NOTHING
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._at = 0
        self._bytes = 0
        self._kept: deque[Kept] = deque()
        self._by_id: dict[str, Kept] = {}
        self._by_room: dict[str | None, deque[Kept]] = {}

    def add(self, entry_id: str, rooms: Iterable[str], except_: tuple[str, ...], data: bytes | None) -> None:
        """Keep it, and drop the oldest while there are too many."""
        self._at += 1
        kept = Kept(self._at, entry_id, tuple(dict.fromkeys(rooms)) or (EVERYBODY,), except_, data)
        self._kept.append(kept)
        self._by_id[entry_id] = kept
        for room in kept.rooms:
            self._by_room.setdefault(room, deque()).append(kept)
        self._bytes += kept.size_bytes
        while len(self._kept) > self._max_count or self._bytes > self._max_bytes:
            self._drop_oldest()

    @property
    def newest(self) -> str:
        return self._kept[-1].id if self._kept else self.base

    def lose(self, position: str) -> None:
        """Something was broadcast, up to this id, that is not here."""
        self.losses += 1
        self._untold_until = f"{int(time.time() * 1_000) + SETTLED_MS}-0"
        self.lost_until = position
        self.begin(position)

    def begin(self, position: str) -> None:
        """Keep what comes after this id."""
        self.base = position
        self._bytes = 0
        self._kept.clear()
        self._by_id.clear()
        self._by_room.clear()

    def __contains__(self, entry_id: str) -> bool:
        return entry_id in self._by_id

    def reaches(self, position: str) -> bool:
        """Whether everything broadcast after it is here."""
        return order(position) >= max(order(self.base), order(self._untold_until))

    def last_until(self, position: str) -> str | None:
        """The newest entry that is not after a position; None if all are."""
        return next((kept.id for kept in reversed(self._kept) if order(kept.id) <= order(position)), None)

    def after(self, entry_id: str | None, rooms: Rooms, *, max_count: int, max_bytes: int) -> list[Kept]:
        """What these rooms, or everybody, were sent after an entry; after `base` if that is None. Oldest first.

        Work is bounded by what is found. Raises Incomplete if that is too much, or something nobody can read.
        """
        at = self._by_id[entry_id].at if entry_id else 0
        found: dict[int, Kept] = {}
        size_bytes = 0
        for room in (*rooms, EVERYBODY):
            for kept in reversed(self._by_room.get(room, ())):
                if kept.at <= at:
                    break
                if kept.at in found:
                    continue
                if kept.data is None:
                    raise Incomplete("a message that nobody can read")
                found[kept.at] = kept
                size_bytes += len(kept.data)
                if len(found) > max_count or size_bytes > max_bytes:
                    raise Incomplete("too much")
        kept_out = set(rooms)
        return [found[at] for at in sorted(found) if kept_out.isdisjoint(found[at].except_)]

    def _drop_oldest(self) -> None:
        oldest = self._kept.popleft()
        self._bytes -= oldest.size_bytes
        self.base = oldest.id
        del self._by_id[oldest.id]
        for room in oldest.rooms:
            of_room = self._by_room[room]
            of_room.popleft()
            if not of_room:
                del self._by_room[room]
