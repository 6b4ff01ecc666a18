"""What clients are shown of a session's board: each by the rules of docs/messages.md, all in step. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from tiebreak.load_test.replies import Row

Shown = Literal["shown", "late", "ask"]


class BoardMessage(msgspec.Struct, frozen=True):
    """A `leaderboard_updating`, or the body of a snapshot."""

    quiz_session_id: str
    epoch: str
    version: int
    participants: int
    rows: list[Row]


class SessionWatch:
    """All that anybody was shown of one session. `broken` says what cannot be, in words."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.epochs: list[str] = []
        self._content: dict[tuple[str, int], tuple[int, list[Row]]] = {}
        self._totals: dict[tuple[str, str], tuple[int, int]] = {}
        self._newest: dict[str, int] = {}
        # Epochs that a snapshot has shown to be over.
        self._over: set[str] = set()
        self._current = ""

    def asking(self) -> SnapshotAsked:
        """To be called before a snapshot is asked for: what it must not fall behind."""
        return SnapshotAsked(dict(self._newest), set(self._over), self._current)

    def saw_snapshot(self, asked: SnapshotAsked, board: BoardMessage) -> None:
        """A snapshot is the board as it was at some moment since it was asked for."""
        if board.version < asked.newest.get(board.epoch, 0):
            self._note(f"a snapshot went back from version {asked.newest[board.epoch]} to {board.version}", board)
        if board.epoch in asked.over:
            self._note("a snapshot went back to an epoch that was over", board)
        # Only of one that was asked for under the current epoch is it known that its own came later.
        if board.epoch not in ("", self._current, *self._over) and asked.current == self._current:
            if self._current:
                self._over.add(self._current)
            self._current = board.epoch
        self.saw(board)

    def saw(self, board: BoardMessage) -> None:
        """Any board, however late it comes: what it says must agree with all others of its epoch."""
        key = board.epoch, board.version
        known = self._content.get(key)
        if known is not None:
            if known != (board.participants, board.rows):
                self._note("two boards of the same version differ", board)
            return
        self._content[key] = board.participants, board.rows
        if board.epoch and board.epoch not in self.epochs:
            self.epochs.append(board.epoch)
        self._newest[board.epoch] = max(self._newest.get(board.epoch, 0), board.version)
        for row in board.rows:
            self._saw_total(board, row)

    def _saw_total(self, board: BoardMessage, row: Row) -> None:
        """Totals never fall: of two versions the newer one has not less."""
        of_whom = board.epoch, row.quiz_session_participant_id
        version, score = self._totals.get(of_whom, (-1, 0))
        if (board.version - version) * (row.score - score) < 0:
            self._note(f"{row.name} has {row.score} here and {score} in version {version}", board)
        if board.version > version:
            self._totals[of_whom] = board.version, row.score

    def _note(self, what: str, board: BoardMessage) -> None:
        self.broken.append(f"{board.quiz_session_id} epoch {board.epoch} version {board.version}: {what}")


class SnapshotAsked(msgspec.Struct, frozen=True):
    """What was known when a snapshot was asked for."""

    newest: dict[str, int]
    over: set[str]
    current: str


class Screen:
    """One client's board."""

    def __init__(self) -> None:
        self.board: BoardMessage | None = None
        self.boards_shown = 0
        self.late = 0

    def received(self, board: BoardMessage) -> Shown:
        """A message: shown if newer, dropped if late; of another epoch: "ask" for a snapshot."""
        if self.board is None or board.epoch != self.board.epoch:
            return "ask"
        if board.version <= self.board.version:
            self.late += board.version < self.board.version
            return "late"
        self._show(board)
        return "shown"

    def given(self, snapshot: BoardMessage) -> None:
        """A snapshot: whole and true, so shown, unless a newer version of its epoch came by message meanwhile."""
        if self.board is None or self.board.epoch != snapshot.epoch or snapshot.version > self.board.version:
            self._show(snapshot)

    def _show(self, board: BoardMessage) -> None:
        self.board = board
        self.boards_shown += 1
