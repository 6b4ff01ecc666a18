"""Shows rooms how things are, when messages to them were lost, or somebody has come back to them.

Of the messages to rooms only the newest matters, so nothing is sent again but that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from uuid import UUID

import structlog

from tiebreak.app_server.ticks import Ticks
from tiebreak.boards.reading import Boards
from tiebreak.clock import Clock
from tiebreak.database.pool import FAILURES
from tiebreak.errors import Fault
from tiebreak.quiz.model import QuizSessionId
from tiebreak.redis_client import OUTAGES, RedisError
from tiebreak.socket_adapter.messages import LeaderboardUpdating
from tiebreak.socket_adapter.redis_streams.patience import end_if_cancelled
from tiebreak.socket_adapter.server import SocketServer
from tiebreak.tokens import Identity

log = structlog.get_logger()

GATHER_SECONDS = 0.5
RETRY_SECONDS = 1.0


class Healing:
    """Sends rooms of this server their board and their state."""

    def __init__(self, boards: Boards, ticks: Ticks, clock: Clock) -> None:
        self._boards = boards
        self._ticks = ticks
        self._clock = clock
        self._due: set[str] = set()
        self._everywhere = False
        self._wake = asyncio.Event()

    def gap(self) -> None:
        """Messages were lost, nobody knows which."""
        self._everywhere = True
        self._wake.set()

    def back(self, rooms: Collection[str]) -> None:
        """Somebody who was away is in these rooms again."""
        self._due.update(rooms)
        self._wake.set()

    async def run(self, sockets: SocketServer[Identity]) -> None:
        """Heal for ever, each room at most once in a while; while the stores are away, try again."""
        while True:
            end_if_cancelled()
            await self._wake.wait()
            self._wake.clear()
            # A crowd that comes back is sent its board once, not once for each of them.
            await self._clock.sleep(GATHER_SECONDS)
            if self._everywhere:
                self._everywhere = False
                self._due.update(sockets.rooms())
                log.info("rooms.gap", rooms=len(self._due))
            due, self._due = self._due, set()
            try:
                for room in sorted(due):
                    await self._heal(sockets, room)
                    due.discard(room)
            except (*OUTAGES, *FAILURES, RedisError, Fault) as error:
                log.warning("rooms.not_healed", error=str(error), retry_seconds=RETRY_SECONDS)
                await self._clock.sleep(RETRY_SECONDS)
                self.back(due)

    async def _heal(self, sockets: SocketServer[Identity], room: str) -> None:
        if is_quiz_session(room):
            quiz_session_id = QuizSessionId(UUID(room))
            sockets.deliver_here(room, LeaderboardUpdating(await self._boards.top(quiz_session_id)))
            self._ticks.session_changed(quiz_session_id)


def is_quiz_session(room: str) -> bool:
    """Another server may put sockets into rooms of its own."""
    try:
        return str(UUID(room)) == room
    except ValueError:
        return False
