"""A virtual player: a guest with a place in a session, a socket, and the answers it has given."""

from __future__ import annotations

import asyncio
from collections import deque
from random import Random
from typing import TypeVar

import msgspec

from tiebreak.load_test.boards import Pacemaker, SessionBoards
from tiebreak.load_test.content import Submission
from tiebreak.load_test.http_client import Unanswered, pause_seconds
from tiebreak.load_test.login import Login
from tiebreak.load_test.replies import Acknowledgement, Recorded, Snapshot
from tiebreak.load_test.screen import Screen
from tiebreak.load_test.socket_client import SocketClient, SocketRefused, connected

SOCKET_ANSWER_SECONDS = 10.0

Acknowledged = TypeVar("Acknowledged", bound=Acknowledgement)


class Session(msgspec.Struct):
    """A quiz session under test; `question_ids` in the quiz's order."""

    id: str
    question_ids: list[str]
    boards: SessionBoards


class Given(msgspec.Struct):
    """An answer that was sent, and what became of it: neither recorded nor refused means never acknowledged."""

    question_id: str
    answer: Submission
    score: int
    answer_id: str
    recorded: Recorded | None = None
    refused: str | None = None


class Player:
    """A guest who plays. `pacemaker` is there for the first few of each session; `turns` are those due."""

    def __init__(self, number: int, origin: str, session: Session, login: Login, random: Random) -> None:
        self.number = number
        self.session = session
        self.login = login
        self.participant_id = ""
        self.pacemaker: Pacemaker | None = None
        self.screen = Screen(session.boards)
        self.given: list[Given] = []
        self.turns: deque[tuple[float, bool]] = deque()
        self.next_question = 1
        self.connections_lost = 0
        self.messages_malformed = 0
        self._origin = origin
        self._random = random
        self._socket: SocketClient | None = None
        self._entered = asyncio.Event()
        self._coming_back: asyncio.Task[None] | None = None

    @property
    def is_connected(self) -> bool:
        return self._socket is not None

    async def enter(self) -> None:
        """Connect and enter the session. Raises SocketRefused, Unanswered."""
        socket = await connected(self._origin, self.login.token, self.screen.received, self._lost, self._malformed)
        try:
            snapshot = await socket.ask(
                "enter_session", {"quiz_session_id": self.session.id}, Snapshot, seconds=SOCKET_ANSWER_SECONDS
            )
            if not snapshot.ok:
                raise SocketRefused(snapshot.code, snapshot.title)
            if not socket.is_open:
                raise Unanswered("connection lost")
        except (SocketRefused, Unanswered):
            socket.close()
            raise
        self._socket = socket
        self._entered.set()
        self.screen.entered(snapshot.board())

    async def entered(self, *, seconds: float) -> None:
        """Wait until the player is back, if its connection is lost. Raises Unanswered."""
        try:
            async with asyncio.timeout(seconds):
                await self._entered.wait()
        except TimeoutError as error:
            raise Unanswered("connection lost") from error

    async def ask(self, event: str, argument: object, described: type[Acknowledged]) -> Acknowledged:
        """Send a message and wait for its acknowledgement. Raises Unanswered."""
        if self._socket is None:
            raise Unanswered("connection lost")
        return await self._socket.ask(event, argument, described, seconds=SOCKET_ANSWER_SECONDS)

    async def renew_token(self) -> None:
        """Newer tokens, for the connection too. Raises RenewalFailed, Unanswered."""
        if await self.login.renew() and self.is_connected:
            await self.ask("renew_token", {"token": self.login.token}, Acknowledgement)

    def leave(self) -> None:
        """Close the connection for good."""
        if self._coming_back:
            self._coming_back.cancel()
        if self._socket:
            self._socket.close()
            self._socket = None

    def _lost(self) -> None:
        if self._socket is None:
            return  # still entering, where it is noticed
        self._socket = None
        self._entered.clear()
        self.connections_lost += 1
        self._coming_back = asyncio.create_task(self._come_back())

    def _malformed(self) -> None:
        self.messages_malformed += 1

    async def _come_back(self) -> None:
        """As socket.io-client does: again and again, later each time."""
        attempt = 0
        while not self.is_connected:
            attempt += 1
            await asyncio.sleep(pause_seconds(attempt, 0, self._random))
            try:
                await self.enter()
            except (SocketRefused, Unanswered):
                continue
