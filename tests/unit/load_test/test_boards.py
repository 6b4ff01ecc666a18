"""When an answer was seen, and by whom."""

from __future__ import annotations

import msgspec
import pytest

from tiebreak.load_test.boards import SHOWN_WITHIN_SECONDS, Pacemaker, SessionBoards, Visibility
from tiebreak.load_test.replies import Leaderboard, Row
from tiebreak.load_test.screen import Screen, message_figures
from tiebreak.load_test.socket_packets import PacketInvalid

SECOND = pytest.approx(1_000, rel=0.01)


def leaderboard(version, total=0, epoch="e"):
    return Leaderboard(epoch, version, 1, [Row(1, "pace", "Pace", total)])


class Room:
    """A session with one pacemaker, whose clock stands where the test puts it."""

    def __init__(self, sockets=2):
        self.visibility = Visibility()
        self.boards = SessionBoards(self.visibility)
        self.boards.sockets = sockets
        self.pacemaker = self.boards.pacemakers["pace"] = Pacemaker()
        self.pacemaker.is_measured = True
        self.seen = [-1] * sockets

    def show(self, socket, version, total, now, epoch="e"):
        """A message to one socket, as Screen treats it."""
        board = self.boards.of(leaderboard(version, total, epoch), now)
        if board.order > self.seen[socket]:
            self.boards.arrived(board, self.seen[socket], now)
            self.seen[socket] = board.order

    def figures(self):
        self.boards.settle()
        return self.visibility.pairs.figures(), self.visibility.last_player.figures(), self.visibility.unseen_pairs


def test_each_player_and_the_last():
    """The first sees it after a second, the last after three."""
    room = Room()
    room.pacemaker.answers(10, due=100.0)
    assert room.boards.is_waiting
    room.show(0, 1, 10, 101.0)
    room.show(1, 1, 10, 103.0)
    assert not room.boards.is_waiting
    pairs, last, unseen = room.figures()
    assert (pairs.count, pairs.p50_ms, pairs.max_ms) == (2, SECOND, 3_000)
    assert (last.count, last.max_ms, unseen) == (1, 3_000, 0)


def test_a_board_without_the_answer_does_not_count():
    """Only a total that includes it shows it."""
    room = Room(sockets=1)
    room.pacemaker.answers(10, due=100.0)
    room.show(0, 1, 0, 101.0)
    room.show(0, 2, 10, 102.0)
    assert room.figures()[0].max_ms == 2_000


def test_versions_that_were_left_out_for_a_player():
    """It sees by a later board what those in between have shown the others."""
    room = Room()
    room.show(0, 1, 0, 99.0)
    room.show(1, 1, 0, 99.0)
    room.pacemaker.answers(10, due=100.0)
    room.pacemaker.answers(20, due=100.5)
    room.show(0, 2, 10, 101.0)
    room.show(0, 3, 30, 102.0)
    room.show(1, 3, 30, 104.0)
    pairs, last, unseen = room.figures()
    assert (pairs.count, last.count, unseen) == (4, 2, 0)
    assert (pairs.max_ms, last.max_ms) == (4_000, 4_000)


def test_boards_that_come_late_over_another_server():
    """A version that somebody was not shown, found after a newer one: nobody is counted twice."""
    room = Room()
    room.show(0, 1, 0, 99.0)
    room.show(1, 1, 0, 99.0)
    room.pacemaker.answers(10, due=100.0)
    room.show(0, 3, 10, 101.0)
    room.show(1, 2, 10, 101.5)
    room.show(1, 3, 10, 102.0)
    pairs, _, unseen = room.figures()
    assert (pairs.count, pairs.max_ms, unseen) == (2, 2_000, 0)


def test_old_versions_are_dropped():
    """A message that is overtaken changes nothing."""
    room = Room(sockets=1)
    room.pacemaker.answers(10, due=100.0)
    room.show(0, 2, 10, 101.0)
    room.show(0, 1, 0, 102.0)
    assert room.figures()[0].count == 1


def test_a_new_epoch_is_newer_than_the_old_one():
    """Whatever its versions: the board was built anew."""
    room = Room(sockets=1)
    room.show(0, 900, 0, 99.0)
    room.pacemaker.answers(10, due=100.0)
    room.show(0, 1, 10, 101.0, epoch="f")
    room.show(0, 901, 10, 105.0)
    assert room.figures()[0] == room.visibility.last_player.figures()
    assert room.figures()[0].max_ms == 1_000


def test_never_seen():
    """Is counted as that, not left out of the percentiles in silence."""
    room = Room(sockets=3)
    room.pacemaker.answers(10, due=100.0)
    room.show(0, 1, 10, 101.0)
    room.show(0, 2, 10, 101.0 + SHOWN_WITHIN_SECONDS + 1)
    pairs, last, unseen = room.figures()
    assert (pairs.count, last.count, unseen) == (1, 0, 2)


def test_answers_that_no_board_has_shown():
    """Nobody has seen them."""
    room = Room(sockets=3)
    room.pacemaker.answers(10, due=100.0)
    assert room.figures()[2] == 3


def test_a_pacemaker_that_retires():
    """Its total is not known any more, so nothing is concluded from it."""
    room = Room(sockets=1)
    room.pacemaker.answers(10, due=100.0)
    room.pacemaker.retire()
    room.pacemaker.answers(10, due=101.0)
    room.show(0, 1, 20, 102.0)
    assert room.figures()[0].count == 0


def test_what_was_acknowledged_before_a_pacemaker_retires():
    """Is still to be seen, however often it retires; only the last answer is not waited for."""
    room = Room(sockets=1)
    room.pacemaker.answers(10, due=100.0)
    room.pacemaker.answers(20, due=100.5)
    for _ in range(2):
        room.pacemaker.retire()
    assert room.boards.is_waiting
    room.show(0, 1, 10, 102.0)
    pairs, _, unseen = room.figures()
    assert (pairs.count, pairs.max_ms, unseen) == (1, 2_000, 0)


def test_what_was_acknowledged_and_never_seen_before_a_pacemaker_retires():
    """Is not forgotten with it."""
    room = Room(sockets=3)
    room.pacemaker.answers(10, due=100.0)
    room.pacemaker.answers(20, due=100.5)
    room.pacemaker.retire()
    assert room.figures()[2] == 3


def payload_of(board, *more):
    return b"42" + msgspec.json.encode(["leaderboard_updating", board, *more])


def test_payloads_are_decoded_once():
    """The same bytes are the same board; other bytes of the same version too (an offset, a snapshot)."""
    room = Room()
    first = room.boards.of_payload(payload_of(leaderboard(1, 10)), 1.0)
    assert room.boards.of_payload(payload_of(leaderboard(1, 10)), 2.0) is first
    assert room.boards.of_payload(payload_of(leaderboard(1, 10), "17-0"), 2.0) is first
    assert room.boards.of(leaderboard(1, 10), 3.0) is first
    assert first.leaderboard == leaderboard(1, 10)


@pytest.mark.parametrize("payload", [b"42", b"42x[1]", b'42["leaderboard_updating",{}]'])
def test_payloads_that_are_none(payload):
    """Raise, instead of being passed over."""
    with pytest.raises((PacketInvalid, msgspec.DecodeError)):
        Room().boards.of_payload(payload, 1.0)


def test_screen_counts_by_kind():
    """And keeps the newest board."""
    screen = Screen(SessionBoards(Visibility()))
    screen.received(payload_of(leaderboard(2)))
    screen.received(payload_of(leaderboard(1)))
    screen.received(b'42["score_update",{}]')
    screen.received(b'42["session_update",{}]')
    assert (screen.boards, screen.scores, screen.others, screen.most_in_a_second) == (2, 1, 1, 4)
    assert screen.board
    assert screen.board.leaderboard.version == 2
    figures = message_figures([screen], 2.0)
    assert figures
    assert (figures.per_player_second, figures.most_in_a_second) == (2.0, 4)
    screen.clear()
    assert (screen.boards, screen.most_in_a_second) == (0, 0)


def test_nobody_looks():
    """There are no figures then."""
    assert message_figures([], 2.0) is None
