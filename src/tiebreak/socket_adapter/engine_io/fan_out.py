"""One message to many sessions: the same bytes to every transport, in order.

A broadcast takes a bounded share of each turn of the loop. uvloop writes at once, a system call each: frames that wait
for the same recipients are joined here before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import structlog

from tiebreak.socket_adapter.engine_io.outgoing import Outgoing

log = structlog.get_logger()

if TYPE_CHECKING:
    from tiebreak.socket_adapter.engine_io.session import Session

# Writes in one turn of the loop: some 10 ms of system calls.
PORTION = 1_000
# A polling client costs so many writes: its GET is answered.
SEND_COST = 10
# Deliveries that may wait before whoever makes more should hold back.
MANY = 1_000
# Frames that wait for the same recipients are written together, up to so many bytes.
MERGED_BYTES = 32 * 1024


class Recipients:
    """Sessions, those with a WebSocket apart from the rest.

    A snapshot: whoever keeps one takes a new one when a route or the membership changes. Deliveries to the same
    snapshot can be merged.
    """

    __slots__ = ("others", "routes")

    def __init__(self, sessions: Iterable[Session]) -> None:
        routes: list[asyncio.Transport] = []
        others: list[Session] = []
        for session in sessions:
            if route := session.route:
                routes.append(route)
            else:
                others.append(session)
        self.routes = tuple(routes)
        self.others = tuple(others)

    def __len__(self) -> int:
        return len(self.routes) + len(self.others)


NOBODY = Recipients(())


class Delivery(NamedTuple):
    """Something to send, and to whom; `volatile` as in Session.send."""

    recipients: Recipients
    outgoing: Outgoing
    volatile: str | None


class FanOut:
    """Deliveries that wait for their turn. Everything sent while some wait has to go through here, to stay in order."""

    def __init__(self) -> None:
        self._waiting: deque[Delivery | Callable[[], None]] = deque()
        # Connections that do not keep up or are closing, and whose they are: asked before each write.
        self.slow: dict[asyncio.Transport, Session] = {}
        self._batch: Sequence[Delivery] = ()
        self._frames = b""
        self._routes: Sequence[asyncio.Transport] = ()
        self._others: Sequence[Session] = ()
        self._written = self._sent = 0
        self.is_busy = False

    @property
    def is_behind(self) -> bool:
        """So much is waiting that nothing should be added that can wait elsewhere."""
        return len(self._waiting) > MANY

    def deliver(self, recipients: Recipients, outgoing: Outgoing, volatile: str | None = None) -> None:
        """Send to all of them, soon; `volatile` as in Session.send."""
        self._waiting.append(Delivery(recipients, outgoing, volatile))
        if not self.is_busy:
            self.is_busy = True
            asyncio.get_running_loop().call_soon(self._turn)

    def afterwards(self, callback: Callable[[], None]) -> None:
        """Call back when everything that waits now has been written; at once if nothing does."""
        if self.is_busy:
            self._waiting.append(callback)
        else:
            callback()

    def _turn(self) -> None:
        room = PORTION
        try:
            while room > 0 and (self._is_writing or self._next()):
                room -= self._write(room)
        finally:
            if self._waiting or self._is_writing:
                asyncio.get_running_loop().call_soon(self._turn)
            else:
                self._take(())
                self.is_busy = False

    @property
    def _is_writing(self) -> bool:
        return self._written < len(self._routes) or self._sent < len(self._others)

    def _next(self) -> bool:
        """Take up the next deliveries that can be written together."""
        if not self._waiting:
            return False
        first = self._waiting[0]
        if not isinstance(first, Delivery):
            self._waiting.popleft()
            self._take(())
            first()
            return True
        batch: list[Delivery] = []
        size = 0
        while self._waiting and size < MERGED_BYTES:
            delivery = self._waiting[0]
            if not isinstance(delivery, Delivery) or delivery.recipients is not first.recipients:
                break
            self._waiting.popleft()
            batch.append(delivery)
            size += len(delivery.outgoing.frames)
        self._take(batch)
        return True

    def _take(self, batch: Sequence[Delivery]) -> None:
        self._batch = batch
        self._frames = b"".join(delivery.outgoing.frames for delivery in batch)
        recipients = batch[0].recipients if batch else NOBODY
        self._routes, self._others = recipients.routes, recipients.others
        self._written = self._sent = 0

    def _write(self, room: int) -> int:
        """Write to some; what it cost of the room there is."""
        if self._written < len(self._routes):
            portion = self._routes[self._written : self._written + room]
            self._written += len(portion)
            self._write_to(portion)
            return len(portion)
        others = self._others[self._sent : self._sent + max(1, room // SEND_COST)]
        self._sent += len(others)
        for session in others:
            send_each(session, self._batch)
        return max(1, len(others) * SEND_COST)

    def _write_to(self, routes: Sequence[asyncio.Transport]) -> None:
        frames, slow = self._frames, self.slow
        for route in routes:
            try:
                if slow and route in slow:
                    send_each(slow[route], self._batch)
                else:
                    route.write(frames)
            except RuntimeError:
                # Its connection was lost since; the session hears of it by itself.
                continue


def send_each(session: Session, batch: Sequence[Delivery]) -> None:
    """Never raises: the others are to get it all the same."""
    try:
        for delivery in batch:
            session.send(delivery.outgoing, delivery.volatile)
    except Exception as error:
        log.error("fan_out.failed", exc_info=error)
