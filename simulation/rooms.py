"""Messages to rooms: from an emitter over the cache's stream to every app server, and on to its screens.

A message may be lost with the stream; what an app server has read goes to its screens in order, as long as they are
connected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import Context

import msgspec

from simulation.cache import Address, CacheClient, CacheServer
from simulation.network import Network
from tiebreak.quiz.model import QuizSessionId
from tiebreak.quiz.ranking import Leaderboard
from tiebreak.socket_adapter.messages import LeaderboardUpdating, RoomMessage

# How late an app server may see that messages are gone (redis_streams/reader.py looks every few seconds).
LATEST_GAP_SECONDS = 2.0


class SimulatedEmitter:
    """Sends messages to the rooms of quiz sessions (socket_adapter/emitter.py)."""

    def __init__(self, client: CacheClient, streams: RoomStreams) -> None:
        self._client = client
        self._streams = streams

    async def emit(self, messages: Sequence[tuple[QuizSessionId, RoomMessage]]) -> None:
        if messages:
            await self._client.command(
                f"emit {len(messages)}", lambda server: self._streams.append(server, list(messages))
            )


class Connection:
    """A screen's way to an app server. What is sent arrives in order, or not at all."""

    def __init__(self, network: Network, receive: Callable[[object], None]) -> None:
        self._network = network
        self._receive = receive
        self._last_at = 0.0
        self.is_open = True

    def send(self, message: object) -> None:
        if self.is_open:
            now = self._network.loop.time()
            # Each a little later than the one before: they do not overtake each other.
            self._last_at = max(self._last_at, now + self._network.seconds()) + 1e-9
            self._network.later(self._last_at - now, self._arrive, message)

    def _arrive(self, message: object) -> None:
        if self.is_open:
            self._receive(message)

    def break_off(self) -> None:
        """The screen sees it when it looks next."""
        self.is_open = False


class RoomReader:
    """An app server's rooms, and its place in the stream."""

    def __init__(
        self, network: Network, who: str, address: Address, context: Context, on_gap: Callable[[], None]
    ) -> None:
        self.address = address
        self.rooms_by_id: dict[str, dict[Connection, None]] = {}
        self._network = network
        self._who = who
        self._context = context
        self._on_gap = on_gap
        self._last_at = 0.0
        # Raised when what is on its way to us is gone.
        self._stream = 0

    def enter(self, room: str, connection: Connection) -> None:
        self.rooms_by_id.setdefault(room, {})[connection] = None

    def rooms(self) -> list[str]:
        """As socket_adapter/server.py has it."""
        return [room for room, connections in self.rooms_by_id.items() if any(it.is_open for it in connections)]

    def deliver_here(self, room: str, message: RoomMessage) -> None:
        """As socket_adapter/server.py has it."""
        for connection in self.rooms_by_id.get(room, {}):
            connection.send(message)

    def expect(self, messages: Sequence[tuple[QuizSessionId, RoomMessage]]) -> None:
        """They are in the stream; we read them, in order."""
        loop = self._network.loop
        self._last_at = max(self._last_at, loop.time() + self._network.seconds()) + 1e-9
        self._network.busy_until = max(self._network.busy_until, self._last_at)
        loop.call_at(self._last_at, self._receive, self._stream, messages, context=self._context)

    def _receive(self, stream: int, messages: Sequence[tuple[QuizSessionId, RoomMessage]]) -> None:
        if stream == self._stream:
            for quiz_session_id, message in messages:
                self.deliver_here(str(quiz_session_id), message)

    def lose(self) -> None:
        """What we have not read is gone, and sooner or later we see it."""
        self._stream += 1
        seconds = self._network.random.random() * LATEST_GAP_SECONDS
        self._network.busy_until = max(self._network.busy_until, self._network.loop.time() + seconds)
        self._network.loop.call_later(seconds, self._on_gap, context=self._context)

    def close(self) -> None:
        for connections in self.rooms_by_id.values():
            for connection in connections:
                connection.break_off()


class RoomStreams:
    """Who reads the stream of which cache server."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.readers: list[RoomReader] = []

    def append(self, server: CacheServer, messages: Sequence[tuple[QuizSessionId, RoomMessage]]) -> None:
        for reader in self.readers:
            if reader.address.server is server:
                if self._network.is_untold():
                    reader.lose()
                else:
                    reader.expect(messages)

    def lose(self, server: CacheServer) -> None:
        """The server has forgotten its streams."""
        for reader in self.readers:
            if reader.address.server is server:
                reader.lose()


class Snapshot(msgspec.Struct, frozen=True):
    """The acknowledgement of `enter_session`; no board: it failed."""

    number: int
    leaderboard: Leaderboard | None


def board_of(message: object) -> Leaderboard | None:
    return message.leaderboard if isinstance(message, LeaderboardUpdating) else None
