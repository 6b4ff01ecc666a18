"""A client that shows a session's board, by the rules of web/src/lib/board.ts and live-session.svelte.ts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from simulation.network import Network
from simulation.processes import AppServer
from simulation.rooms import Connection, Snapshot, board_of
from tiebreak.quiz.model import QuizSessionId, UserId
from tiebreak.quiz.ranking import Leaderboard

ACKNOWLEDGEMENT_SECONDS = 3.0
SILENT_SECONDS = 2.0


class Screen:
    """Connected to one app server, or on the way to another one."""

    def __init__(
        self,
        name: str,
        network: Network,
        quiz_session_id: QuizSessionId,
        user_id: UserId,
        *,
        app_server: Callable[[], AppServer | None],
        on_shown: Callable[[Screen, Leaderboard], None],
    ) -> None:
        """`app_server` finds one to connect to, if any is there; `on_shown` sees each board that is shown."""
        self.name = name
        self.quiz_session_id = quiz_session_id
        self.board: Leaderboard | None = None
        self._network = network
        self._user_id = user_id
        self._app_server = app_server
        self._on_shown = on_shown
        self._held: Leaderboard | None = None
        self._is_entering = False
        self._connection: Connection | None = None
        self._server: AppServer | None = None
        self._asked = 0
        self._acknowledged: asyncio.Future[Leaderboard | None] | None = None

    @property
    def is_settled(self) -> bool:
        return self._connection is not None and self._connection.is_open and not self._is_entering

    async def run(self) -> None:
        """Stay connected for ever: whoever hears nothing for a while goes elsewhere."""
        while True:
            if self._connection is None or not self._connection.is_open:
                self._connect()
            elif self._server is not None and not self._server.process.runs:
                # No ping comes from a server that stands still.
                await asyncio.sleep(SILENT_SECONDS)
                if self._server is not None and not self._server.process.runs:
                    self.disconnect()
            await asyncio.sleep(0.2)

    def disconnect(self) -> None:
        """The network is gone for a moment."""
        if self._connection is not None:
            self._connection.is_open = False
        self._connection = self._server = None

    def _connect(self) -> None:
        self._server = self._app_server()
        if self._server is not None:
            self._connection = Connection(self._network, self._receive)
            self._begin_to_enter()

    def _begin_to_enter(self) -> None:
        self._network.loop.create_task(self._enter()).add_done_callback(self._network.loop.note_failure)

    async def _enter(self) -> None:
        if self._is_entering:
            return
        self._is_entering = True
        try:
            pause = 0.1
            while (connection := self._connection) is not None and connection.is_open and self._server is not None:
                snapshot = await self._ask(self._server, connection)
                if snapshot is not None and connection is self._connection and self._adopt(snapshot):
                    break
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)
        finally:
            self._is_entering = False

    async def _ask(self, server: AppServer, connection: Connection) -> Leaderboard | None:
        """A snapshot; None if there was none in time."""
        self._asked += 1
        loop = self._network.loop
        self._acknowledged = loop.create_future()
        self._network.later(
            self._network.seconds(), server.enter_session, connection, self._asked, self.quiz_session_id, self._user_id
        )
        timer = loop.call_later(ACKNOWLEDGEMENT_SECONDS, self._acknowledge, Snapshot(self._asked, None))
        try:
            return await self._acknowledged
        finally:
            timer.cancel()

    def _acknowledge(self, snapshot: Snapshot) -> None:
        if snapshot.number == self._asked and self._acknowledged and not self._acknowledged.done():
            self._acknowledged.set_result(snapshot.leaderboard)

    def _adopt(self, fresh: Leaderboard) -> bool:
        held, self._held = self._held, None
        if held is not None and held.epoch == fresh.epoch and held.version > fresh.version:
            self._show(held)
        elif not (self.board and self.board.epoch == fresh.epoch and self.board.version > fresh.version):
            self._show(fresh)
        return held is None or self.board is None or held.epoch == self.board.epoch

    def _receive(self, message: object) -> None:
        if isinstance(message, Snapshot):
            self._acknowledge(message)
            return
        board = board_of(message)
        if board is None:
            return
        if self.board is None or self.board.epoch != board.epoch:
            held = self._held
            if held is None or held.epoch != board.epoch or held.version <= board.version:
                self._held = board
            self._begin_to_enter()
        elif board.version > self.board.version:
            self._show(board)

    def _show(self, board: Leaderboard) -> None:
        self.board = board
        self._on_shown(self, board)
