"""Rooms that missed messages are shown how things are."""

import asyncio

from tests.standing_clock import StandingClock
from tiebreak.app_server.healing import GATHER_SECONDS, RETRY_SECONDS, Healing
from tiebreak.errors import BoardLost
from tiebreak.ids import new_id
from tiebreak.quiz.ranking import Leaderboard


class Boards:
    """Redis loses the board as often as is said, before there is one."""

    def __init__(self, lost: int) -> None:
        self.lost = lost

    async def top(self, quiz_session_id):
        if self.lost:
            self.lost -= 1
            raise BoardLost("Gone again.")
        return Leaderboard(quiz_session_id, "epoch", 1, 0, ())


class Rooms:
    """The rooms of a server, and what they were shown."""

    def __init__(self, *rooms: str) -> None:
        self.shown: list[str] = []
        self._rooms = rooms

    def rooms(self):
        return self._rooms

    def deliver_here(self, room, _):
        self.shown.append(room)

    def session_changed(self, _):
        """Nobody counts here."""


async def test_a_board_that_is_lost_again_is_shown_later():
    """It is a fault that goes away: the app server lives on, and tries again."""
    rooms = Rooms(*sorted(str(new_id()) for _ in range(3)))
    clock = StandingClock()
    healing = Healing(Boards(lost=1), rooms, clock)
    healing.gap()
    task = asyncio.create_task(healing.run(rooms))
    async with asyncio.timeout(10):
        while len(rooms.shown) < 3 and not task.done():
            clock.advance(seconds=max(GATHER_SECONDS, RETRY_SECONDS))
            await asyncio.sleep(0)
    task.cancel()
    assert rooms.shown == list(rooms.rooms())
