"""A client that looks at a session's board: connected, back again after each loss, in step with the room."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from chaos.boards import BoardMessage, Screen
from chaos.client import ATTEMPT_SECONDS, Origins
from chaos.sessions import Session
from tiebreak.load_test.http_client import Unanswered, pause_seconds
from tiebreak.load_test.replies import Acknowledgement, Row
from tiebreak.load_test.socket_client import Described, SocketClient, SocketRefused, connected
from tiebreak.load_test.socket_packets import arguments_of, event_start

BOARD = event_start("leaderboard_updating")
LONGEST_PAUSE_ATTEMPT = 5
BETWEEN_SNAPSHOTS_SECONDS = 0.1


class SnapshotTaken(Acknowledgement, frozen=True, kw_only=True):
    """The acknowledgement of `enter_session` and `get_leaderboard`."""

    quiz_session_id: str = ""
    epoch: str = ""
    version: int = 0
    participants: int = 0
    rows: Sequence[Row] = ()


class OfSession(msgspec.Struct, frozen=True):
    """What every message to a room names."""

    quiz_session_id: str


class Viewer:
    """One client's connection and screen."""

    def __init__(self, name: str, origins: Origins, session: Session, token: str) -> None:
        self.name = name
        self.session = session
        self.token = token
        self.screen = Screen()
        self.connections_lost = 0
        self._origins = origins
        self._socket: SocketClient | None = None
        self._lost = asyncio.Event()
        self._last: BoardMessage | None = None
        self._asking: asyncio.Task[None] | None = None

    @property
    def is_in_step(self) -> bool:
        """Connected, and not waiting for a snapshot."""
        return self._socket is not None and self._asking is None

    async def stay(self) -> None:
        """Be in the room, again after each loss, until cancelled."""
        attempt = 0
        try:
            while True:
                try:
                    await self._enter()
                    attempt = 0
                    await self._lost.wait()
                    self.connections_lost += 1
                except (SocketRefused, Unanswered):
                    attempt = min(attempt + 1, LONGEST_PAUSE_ATTEMPT)
                self._leave()
                await asyncio.sleep(pause_seconds(max(1, attempt), 0, self._origins.random))
        finally:
            self._leave()

    def drop(self) -> None:
        """Lose the connection, as phones do."""
        self._lost.set()

    async def ask(self, event: str, argument: object, described: type[Described]) -> Described:
        """Raises Unanswered."""
        if self._socket is None:
            raise Unanswered("connection lost")
        return await self._socket.ask(event, argument, described, seconds=ATTEMPT_SECONDS)

    async def _enter(self) -> None:
        self._lost.clear()
        socket = await connected(self._origins.any(), self.token, self._received, self._lost.set, self._malformed)
        try:
            await self._snapshot(socket, "enter_session")
        except BaseException:
            socket.close()
            raise
        self._socket = socket

    def _leave(self) -> None:
        if self._asking:
            self._asking.cancel()
            self._asking = None
        if self._socket:
            self._socket.close()
            self._socket = None

    async def _snapshot(self, socket: SocketClient, event: str) -> None:
        """Raises Unanswered, SocketRefused."""
        asked = self.session.watch.asking()
        body = {"quiz_session_id": self.session.id}
        taken = await socket.ask(event, body, SnapshotTaken, seconds=ATTEMPT_SECONDS)
        if not taken.ok:
            raise SocketRefused(taken.code, taken.title)
        board = BoardMessage(taken.quiz_session_id, taken.epoch, taken.version, taken.participants, [*taken.rows])
        self.session.watch.saw_snapshot(asked, board)
        self.screen.given(board)

    def _received(self, payload: bytes) -> None:
        """An event. Raises msgspec.DecodeError, PacketInvalid."""
        argument = msgspec.json.decode(arguments_of(payload)[1], type=list[msgspec.Raw])[1]
        if not payload.startswith(BOARD):
            self._belongs(msgspec.json.decode(argument, type=OfSession).quiz_session_id)
            return
        board = msgspec.json.decode(argument, type=BoardMessage)
        if not self._belongs(board.quiz_session_id):
            return
        self.session.watch.saw(board)
        self._last = board
        if self.screen.received(board) == "ask" and self._asking is None and self._socket is not None:
            self._asking = asyncio.create_task(self._ask_anew(self._socket))

    async def _ask_anew(self, socket: SocketClient) -> None:
        """Another epoch: a snapshot, and then what has come meanwhile."""
        try:
            while socket.is_open:
                self._last = None
                try:
                    await self._snapshot(socket, "get_leaderboard")
                except Unanswered:
                    continue
                if self._last is None or self.screen.received(self._last) != "ask":
                    return
                await asyncio.sleep(BETWEEN_SNAPSHOTS_SECONDS)
        except SocketRefused:
            await asyncio.sleep(1)
            self._lost.set()
        finally:
            self._asking = None

    def _belongs(self, quiz_session_id: str) -> bool:
        if quiz_session_id == self.session.id:
            return True
        self.session.history.strange.append(f"{self.name} was sent a message of session {quiz_session_id}")
        return False

    def _malformed(self) -> None:
        self.session.history.strange.append(f"{self.name} was sent what cannot be read")
