"""A peer that does not keep up: what it is spared, and when we give it up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiebreak.socket_adapter.engine_io.outgoing import Outgoing

if TYPE_CHECKING:
    from tiebreak.socket_adapter.engine_io.session import Session
    from tiebreak.socket_adapter.engine_io.web_socket import WebSocket

# Messages kept for the moment it has caught up, one for each name.
MAX_SKIPPED = 32
LOOKS = 4


class Congestion:
    """From the moment a connection's buffer is above the limit until it has drained.

    Of the volatile messages that pass it by meanwhile, the newest of each name is sent when it has drained: a peer
    that was slow does not stay behind.
    """

    __slots__ = ("_buffered", "_engine", "_looks_in_vain", "_tick", "_web_socket", "_written", "skipped")

    def __init__(self, web_socket: WebSocket, session: Session) -> None:
        self._web_socket = web_socket
        self._engine = session.engine
        self._engine.fan_out.slow[web_socket.transport] = session
        self._buffered = web_socket.transport.get_write_buffer_size()
        self._written = 0
        self.skipped: dict[str, Outgoing] = {}
        self._looks_in_vain = 0
        self._tick = self._look_again()

    def admits(self, outgoing: Outgoing, volatile: str | None) -> bool:
        """Whether to write it all the same. Gives the connection up if that would be too much."""
        if volatile is not None:
            self._engine.counts.volatile_skipped += 1
            self.skipped.pop(volatile, None)
            if len(self.skipped) < MAX_SKIPPED:
                self.skipped[volatile] = outgoing
            return False
        size = len(outgoing.frames)
        buffered = self._web_socket.transport.get_write_buffer_size()
        if buffered + size > self._engine.options.max_buffered_bytes:
            self._give_up("too slow: buffer full")
            return False
        self._written += size
        return True

    def over(self) -> None:
        """It has caught up, or is gone."""
        self._engine.wheel.cancel(self._tick, self._look)
        if self._web_socket.is_open:
            self._engine.fan_out.slow.pop(self._web_socket.transport, None)

    def _look_again(self) -> int:
        return self._engine.wheel.call_later(self._engine.options.stalled_seconds / LOOKS, self._look)

    def _look(self) -> None:
        if self._web_socket.congestion is not self:
            return
        buffered = self._web_socket.transport.get_write_buffer_size()
        nothing_left = buffered >= self._buffered + self._written
        self._looks_in_vain = self._looks_in_vain + 1 if nothing_left else 0
        if self._looks_in_vain == LOOKS:
            self._give_up("too slow: stalled")
            return
        self._buffered, self._written = buffered, 0
        self._tick = self._look_again()

    def _give_up(self, reason: str) -> None:
        if session := self._web_socket.session:
            session.transport_lost(self._web_socket, reason)
        self._web_socket.abort()
