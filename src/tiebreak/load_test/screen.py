"""What one player is shown, and how many messages that takes."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from time import perf_counter

import msgspec

from tiebreak.load_test.boards import NOTHING_SEEN, Board, SessionBoards
from tiebreak.load_test.replies import Leaderboard
from tiebreak.load_test.socket_packets import event_start


class MessageFigures(msgspec.Struct, frozen=True):
    """Messages that a player received: per second on average, by kind too, and the most within any one second."""

    per_player_second: float
    most_in_a_second: int
    by_kind: dict[str, float]


BOARD = event_start("leaderboard_updating")
SCORES = event_start("score_update")


class Screen:
    """A player's view of the session. Called for every message of every player: keep it short."""

    __slots__ = ("_boards", "_order", "_within_a_second", "board", "boards", "most_in_a_second", "others", "scores")

    def __init__(self, boards: SessionBoards) -> None:
        self._boards = boards
        self._order = NOTHING_SEEN
        self.board: Board | None = None
        self.clear()

    def clear(self) -> None:
        """Count messages from now on."""
        self.boards = self.scores = self.others = self.most_in_a_second = 0
        self._within_a_second: deque[float] = deque()

    def received(self, payload: bytes) -> None:
        """An event, as it stands on the wire."""
        now = perf_counter()
        recent = self._within_a_second
        recent.append(now)
        while recent[0] <= now - 1:
            recent.popleft()
        if len(recent) > self.most_in_a_second:  # noqa: PLR1730 - twice as quick as max()
            self.most_in_a_second = len(recent)
        if payload.startswith(BOARD):
            self.boards += 1
            self._show(self._boards.of_payload(payload, now), now)
        elif payload.startswith(SCORES):
            self.scores += 1
        else:
            self.others += 1

    def entered(self, snapshot: Leaderboard) -> None:
        """The board as it was when the player entered; a session without answers has none."""
        if snapshot.epoch:
            now = perf_counter()
            self._show(self._boards.of(snapshot, now), now)

    def _show(self, board: Board, now: float) -> None:
        if board.order > self._order:
            self._boards.arrived(board, self._order, now)
            self._order = board.order
            self.board = board


def message_figures(screens: Sequence[Screen], seconds: float) -> MessageFigures | None:
    """Of so many seconds; None where nobody looked."""
    if not screens or not seconds:
        return None
    by_kind = {
        "leaderboard_updating": sum(screen.boards for screen in screens),
        "score_update": sum(screen.scores for screen in screens),
        "session_update": sum(screen.others for screen in screens),
    }
    player_seconds = len(screens) * seconds
    return MessageFigures(
        per_player_second=round(sum(by_kind.values()) / player_seconds, 2),
        most_in_a_second=max(screen.most_in_a_second for screen in screens),
        by_kind={kind: round(count / player_seconds, 2) for kind, count in by_kind.items()},
    )
