"""HTTP long-polling: a GET waits for packets, a POST brings some."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tiebreak.socket_adapter.engine_io.outgoing import CLOSE, NOOP, Outgoing
from tiebreak.socket_adapter.engine_io.packets import Packet, decode_payload, encode_payload

if TYPE_CHECKING:
    from tiebreak.socket_adapter.engine_io.session import Session

# A body may hold thousands; the loop has others to serve.
PACKETS_PER_TURN = 100


class Overlap(Exception):
    """A second GET, or a second POST, while the first is under way: the protocol closes the session."""


class Polling:
    """The transport of a session that polls."""

    __slots__ = ("_buffered", "_queue", "_resumed", "_waiting", "is_posting", "session")

    name = "polling"
    # Never written to directly.
    route = None
    # None when it has ended, or goes on by WebSocket.
    session: Session | None

    def __init__(self) -> None:
        self.session = None
        self._queue: deque[tuple[Outgoing, str | None]] = deque()
        self._buffered = 0
        self._waiting: asyncio.Future[None] | None = None
        self.is_posting = False
        self._resumed: asyncio.Event | None = None

    async def poll(self) -> bytes:
        """The body of the answer to a GET: waits until there is something to send. Raises Overlap."""
        if self._waiting:
            raise Overlap
        if not self._queue and self.session and not self.session.is_upgrading:
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        packets = [packet for outgoing, _ in self.hand_over_with_names() for packet in outgoing.packets]
        return encode_payload(packets or NOOP.packets)

    @property
    def is_polled(self) -> bool:
        """A GET waits."""
        return self._waiting is not None

    @contextmanager
    def posting(self) -> Generator[None]:
        """While a POST is under way, its body still coming. Raises Overlap."""
        if self.is_posting:
            raise Overlap
        self.is_posting = True
        try:
            yield
        finally:
            self.is_posting = False
            if self.session:
                self.session.posted()

    async def take_in(self, body: bytes) -> None:
        """The body of a POST. Raises PacketInvalid."""
        for n, packet in enumerate(decode_payload(body), start=1):
            await self._hand_over(packet)
            if n % PACKETS_PER_TURN == 0:
                await asyncio.sleep(0)

    async def _hand_over(self, packet: Packet) -> None:
        while self.session and self.session.is_held:
            self._resumed = asyncio.Event()
            await self._resumed.wait()
        if self.session:
            self.session.received(self, packet)

    def lost(self, reason: str) -> None:
        """The client, or what it sent, ends the session."""
        if self.session:
            self.session.transport_lost(self, reason)

    def send(self, outgoing: Outgoing, volatile: str | None = None) -> None:
        """Queue it for the next poll; a volatile one replaces one of its name where much has queued up."""
        if self.session is None:
            return
        options = self.session.engine.options
        if volatile is not None and self._buffered > options.congested_bytes:
            self.session.engine.counts.volatile_skipped += 1
            self._queue = deque(queued for queued in self._queue if queued[1] != volatile)
            self._buffered = sum(len(queued.frames) for queued, _ in self._queue)
        self._queue.append((outgoing, volatile))
        self._buffered += len(outgoing.frames)
        if self._buffered > options.max_buffered_bytes:
            self.lost("too slow: buffer full")
            self.discard()
            return
        self.end_poll()

    def end_poll(self) -> None:
        """Let a GET that waits return, with what there is or with a packet that means nothing."""
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)

    def hand_over(self) -> list[Outgoing]:
        """What has not been sent yet, for the transport that comes after this one."""
        self.end_poll()
        return [outgoing for outgoing, _ in self.hand_over_with_names()]

    def hand_over_with_names(self) -> list[tuple[Outgoing, str | None]]:
        queued, self._queue, self._buffered = list(self._queue), deque(), 0
        return queued

    @property
    def has_words_left(self) -> bool:
        """A closed session whose client has not heard of it yet."""
        return bool(self._queue)

    def close(self, code: int = 0, reason: str = "") -> None:
        """Let the client know, at its poll: at this one, if it waits."""
        by_client = reason == "transport close"
        self._queue.append((NOOP if by_client else CLOSE, None))
        self.end_poll()

    def discard(self) -> None:
        """Send nothing any more."""
        self.hand_over()

    def pause(self) -> None:
        """The session is held: a POST that brings packets waits for its answer."""

    def resume(self) -> None:
        """It is not held any more, or has ended."""
        if self._resumed:
            self._resumed.set()
