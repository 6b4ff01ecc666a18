"""How somebody is shown out of a room, whatever app servers the screens are on."""

from __future__ import annotations

import structlog

from tiebreak.quiz.model import QuizSessionId, UserId
from tiebreak.redis_client import OUTAGES, RedisError
from tiebreak.socket_adapter.messages import Removed
from tiebreak.socket_adapter.server import SocketServer
from tiebreak.tokens import Identity

log = structlog.get_logger()


class RoomMembers:
    """The sockets of rooms. It decides nothing: what a removed participant asks is refused by the database."""

    def __init__(self, sockets: SocketServer[Identity]) -> None:
        self._sockets = sockets

    async def show_out(self, quiz_session_id: QuizSessionId, user_id: UserId, *, banned: bool) -> None:
        """Tell a user's sockets that they were removed, and take them out of the room.

        A phone that is away at the moment may come back into it by connection state recovery; it hears what
        everybody hears, and is refused whatever it asks.
        """
        try:
            members = await self._sockets.members(str(quiz_session_id))
            theirs = [socket_id for socket_id, user in members.items() if user == user_id]
            if theirs:
                await self._sockets.send_away(theirs, str(quiz_session_id), Removed(quiz_session_id, banned))
        except (*OUTAGES, RedisError) as error:
            log.warning("room.not_shown_out", quiz_session_id=str(quiz_session_id), error=str(error))
