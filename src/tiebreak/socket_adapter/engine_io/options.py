"""What an Engine.IO server is told, and what it counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

# The Origin header and the Host header.
OriginAllowed: TypeAlias = Callable[[str, str | None], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """Times in seconds, sizes in bytes. The defaults of the protocol are those of Node's engine.io."""

    path: str = "/socket.io/"
    ping_interval_seconds: float = 25.0
    ping_timeout_seconds: float = 20.0
    upgrade_timeout_seconds: float = 10.0
    # The largest message a client may send, and the largest body of a POST.
    max_payload: int = 1_000_000
    # None: every origin. A request without an Origin comes from a program, not from a page, and is always let in.
    origin_allowed: OriginAllowed | None = None
    sessions_per_address: int | None = None
    # Above it, volatile messages pass this connection by.
    congested_bytes: int = 64 * 1024
    # Above it, or when nothing has drained for so long, the connection is closed.
    max_buffered_bytes: int = 1024 * 1024
    stalled_seconds: float = 10.0
    # How long a peer may take to answer our closing.
    closing_seconds: float = 5.0

    @property
    def tick_seconds(self) -> float:
        """Of the timer wheel: coarse beside the times it keeps."""
        return min(self.ping_interval_seconds, self.ping_timeout_seconds, 10.0) / 20


@dataclass(slots=True)
class Counts:
    """What happened since the start, and what is open now."""

    sessions_opened: int = 0
    messages_received: int = 0
    messages_delivered: int = 0
    volatile_skipped: int = 0
    closed: dict[str, int] = field(default_factory=dict[str, int])
    refused: dict[str, int] = field(default_factory=dict[str, int])

    def count_closed(self, reason: str) -> None:
        self.closed[reason] = self.closed.get(reason, 0) + 1

    def count_refused(self, reason: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1
