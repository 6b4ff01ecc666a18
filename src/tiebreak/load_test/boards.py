"""What the members of a session were shown: every board once, and when it reached whom.

The same bytes reach every socket, so a payload is decoded for the first of them only. For the others a board costs one
look-up and one number: the time it came.
"""

from __future__ import annotations

from array import array
from collections import deque

import msgspec

from tiebreak.load_test.distribution import Distribution
from tiebreak.load_test.replies import Leaderboard, Row
from tiebreak.load_test.socket_packets import arguments_of

# A player who sees a board later than this counts as one who has not seen it.
SHOWN_WITHIN_SECONDS = 30.0
# Payloads that may still be on their way to some socket.
REMEMBERED_PAYLOADS = 256
# The order of boards: an epoch's number, then the version, which stays below this.
VERSIONS = 2**53
NOTHING_SEEN = -1


class Awaited(msgspec.Struct):
    """A pacemaker's answer that no board has shown yet: it will be seen by a total of at least this."""

    total: int
    due: float


class Pacemaker:
    """A player whose total is always among the rows that everybody is shown.

    It gives one answer at a time, and always a right one: so it is known which total an answer leads to.
    """

    def __init__(self) -> None:
        self.total = 0
        self.awaited: deque[Awaited] = deque()
        self.is_measured = False

    def answers(self, points: int, due: float) -> None:
        """To be called before the answer is sent: the board may be quicker than the acknowledgement."""
        self.total += points
        if self.is_measured:
            self.awaited.append(Awaited(self.total, due))

    def retire(self) -> None:
        """Nobody knows its total any more: its last answer was refused or never acknowledged.

        Those before it were acknowledged, so they are still to be seen. May be repeated.
        """
        if self.is_measured and self.awaited:
            self.awaited.pop()  # the last one: had it been seen, all before it would have been
        self.is_measured = False


class Board:
    """A version of the leaderboard's top, the answers that it is the first to show, and its arrivals."""

    __slots__ = ("answers", "arrivals", "first_seen", "leaderboard", "order", "previous")

    def __init__(self, leaderboard: Leaderboard, order: int, previous: int, first_seen: float) -> None:
        """`previous` is the order of the version before, as far as anybody was shown one."""
        self.leaderboard = leaderboard
        self.order = order
        self.previous = previous
        self.first_seen = first_seen
        self.answers: list[Awaited] = []
        self.arrivals = array("d")


class Visibility:
    """Answer → seen: over all pairs of an answer and a player, and up to the last player of each answer.

    `recent_pairs` are since the display was last drawn.
    """

    def __init__(self) -> None:
        self.pairs = Distribution()
        self.last_player = Distribution()
        self.recent_pairs = Distribution()
        self.unseen_pairs = 0

    def add(self, seconds: float) -> None:
        """One player has seen one answer."""
        self.pairs.add(seconds)
        self.recent_pairs.add(seconds)


class SessionBoards:
    """The boards of one session."""

    def __init__(self, visibility: Visibility) -> None:
        self.pacemakers: dict[str, Pacemaker] = {}
        self.sockets = 0
        self._visibility = visibility
        self._by_payload: dict[bytes, Board] = {}
        self._by_version: dict[tuple[str, int], Board] = {}
        self._latest: deque[Board] = deque()
        self._settled_order = NOTHING_SEEN
        self._epochs: dict[str, int] = {}

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is still to be seen by somebody."""
        return any(pacemaker.awaited for pacemaker in self.pacemakers.values()) or any(
            board.answers and len(board.arrivals) < self.sockets for board in self._latest
        )

    def of_payload(self, payload: bytes, now: float) -> Board:
        """The board in a `leaderboard_updating`. Raises PacketInvalid, msgspec.DecodeError."""
        board = self._by_payload.get(payload)
        if board is None:
            # An offset may follow the board: what a socket would name to be sent what it missed.
            arguments = msgspec.json.decode(arguments_of(payload)[1], type=list[msgspec.Raw])
            board = self.of(msgspec.json.decode(arguments[1], type=Leaderboard), now)
            if len(self._by_payload) >= REMEMBERED_PAYLOADS:
                del self._by_payload[next(iter(self._by_payload))]
            self._by_payload[payload] = board
        return board

    def of(self, leaderboard: Leaderboard, now: float) -> Board:
        """The board that was shown to somebody, by message or snapshot."""
        key = (leaderboard.epoch, leaderboard.version)
        board = self._by_version.get(key)
        if board is None:
            order = self._epochs.setdefault(leaderboard.epoch, len(self._epochs)) * VERSIONS + leaderboard.version
            earlier = [known.order for known in self._latest if known.order < order]
            board = self._by_version[key] = Board(leaderboard, order, max(earlier, default=self._settled_order), now)
            self._latest.append(board)
            self._match(board, leaderboard.rows)
            self._settle_older_than(now - SHOWN_WITHIN_SECONDS)
        return board

    def arrived(self, board: Board, before: int, now: float) -> None:
        """A player who had seen the boards up to the order `before` sees this one."""
        board.arrivals.append(now)
        if board.previous != before:
            # Versions in between were left out for this player, who sees by this board what they would have shown.
            for known in self._latest:
                if before < known.order < board.order:
                    known.arrivals.append(now)

    def settle(self) -> None:
        """Count what was shown; nobody is waited for any more."""
        self._settle_older_than(float("inf"))
        for pacemaker in self.pacemakers.values():
            self._visibility.unseen_pairs += len(pacemaker.awaited) * self.sockets
            pacemaker.awaited.clear()

    def _match(self, board: Board, rows: list[Row]) -> None:
        for row in rows:
            pacemaker = self.pacemakers.get(row.quiz_session_participant_id)
            while pacemaker and pacemaker.awaited and pacemaker.awaited[0].total <= row.score:
                board.answers.append(pacemaker.awaited.popleft())

    def _settle_older_than(self, moment: float) -> None:
        while self._latest and (
            self._latest[0].first_seen < moment or len(self._latest[0].arrivals) >= self.sockets > 0
        ):
            board = self._latest.popleft()
            self._by_version.pop((board.leaderboard.epoch, board.leaderboard.version), None)
            self._settled_order = max(self._settled_order, board.order)
            self._count(board)

    def _count(self, board: Board) -> None:
        seen = self._visibility
        for answer in board.answers:
            for at in board.arrivals:
                seen.add(at - answer.due)
            if len(board.arrivals) < self.sockets:
                seen.unseen_pairs += self.sockets - len(board.arrivals)
            else:
                seen.last_player.add(max(board.arrivals) - answer.due)
