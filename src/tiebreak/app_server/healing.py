"""What to do when messages to rooms were lost before this server could read them: show the rooms how things are."""

from __future__ import annotations

import asyncio
from uuid import UUID

import structlog

from tiebreak.app_server.boards import Boards
from tiebreak.app_server.ticks import Ticks
from tiebreak.clock import Clock
from tiebreak.database.pool import FAILURES
from tiebreak.quiz.model import QuizSessionId
from tiebreak.redis_client import OUTAGES, RedisError
from tiebreak.socket_adapter.messages import LeaderboardUpdating
from tiebreak.socket_adapter.server import SocketServer
from tiebreak.tokens import Identity

log = structlog.get_logger()

RETRY_SECONDS = 1.0


class Healing:
    """Sends each room here its board and its state whenever `gaps` is set."""

    def __init__(
        self, gaps: asyncio.Event, sockets: SocketServer[Identity], boards: Boards, ticks: Ticks, clock: Clock
    ) -> None:
        self._sockets = sockets
        self._boards = boards
        self._ticks = ticks
        self._clock = clock
        self._gaps = gaps

    async def run(self) -> None:
        """Heal for ever; while the stores are away, try again."""
        while True:
            await self._gaps.wait()
            self._gaps.clear()
            try:
                await self._heal()
            except (*OUTAGES, *FAILURES, RedisError) as error:
                log.warning("rooms.not_healed", error=str(error), retry_seconds=RETRY_SECONDS)
                await self._clock.sleep(RETRY_SECONDS)
                self._gaps.set()

    async def _heal(self) -> None:
        rooms = [room for room in self._sockets.rooms() if is_quiz_session(room)]
        for room in rooms:
            quiz_session_id = QuizSessionId(UUID(room))
            self._sockets.deliver_here(room, LeaderboardUpdating(await self._boards.top(quiz_session_id)))
            self._ticks.session_changed(quiz_session_id)
        log.info("rooms.healed", rooms=len(rooms))


def is_quiz_session(room: str) -> bool:
    """Another server may put sockets into rooms of its own."""
    try:
        return str(UUID(room)) == room
    except ValueError:
        return False
