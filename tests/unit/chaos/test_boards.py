"""What clients are shown, and what cannot be."""

import msgspec

from chaos.boards import BoardMessage, Screen, SessionWatch
from tiebreak.load_test.replies import Row


def board(version, score=10, epoch="one"):
    return BoardMessage("session", epoch, version, 1, [Row(1, "ann", "Ann", score)])


def test_newer_boards_are_shown_and_late_ones_dropped():
    """By the rules of docs/messages.md."""
    screen = Screen()
    assert screen.received(board(5)) == "ask"
    screen.given(board(5))
    assert [screen.received(board(version)) for version in (7, 6, 7)] == ["shown", "late", "late"]
    assert screen.board == board(7)
    assert screen.late == 1
    screen.given(board(6))
    assert screen.board == board(7)


def test_another_epoch_is_asked_for():
    """Versions of two epochs cannot be compared: the snapshot decides."""
    screen = Screen()
    screen.given(board(9))
    assert screen.received(board(1, epoch="two")) == "ask"
    screen.given(board(2, epoch="two"))
    assert screen.board == board(2, epoch="two")


def test_boards_in_step():
    """Repeated, late and in a new epoch: nothing is wrong with that."""
    watch = SessionWatch()
    for it in (board(1), board(3, 30), board(2, 20), board(3, 30), board(1, 5, epoch="two")):
        watch.saw(it)
    watch.saw_snapshot(watch.asking(), board(4, 30))
    watch.saw_snapshot(watch.asking(), board(2, 10, epoch="two"))
    assert watch.broken == []
    assert watch.epochs == ["one", "two"]


def test_snapshot_that_goes_back():
    watch = SessionWatch()
    watch.saw(board(5, 50))
    watch.saw_snapshot(watch.asking(), board(4, 40))
    assert "went back from version 5 to 4" in watch.broken[0]


def test_snapshot_that_was_asked_for_before():
    """It may be older than a message that came meanwhile."""
    watch = SessionWatch()
    asked = watch.asking()
    watch.saw(board(5, 50))
    watch.saw_snapshot(asked, board(4, 40))
    assert watch.broken == []


def test_epoch_that_comes_back():
    watch = SessionWatch()
    for epoch in ("one", "two", "one"):
        watch.saw_snapshot(watch.asking(), board(5, epoch=epoch))
    assert "epoch that was over" in watch.broken[0]


def test_snapshots_of_two_epochs_that_overtake_each_other():
    """Both were asked for under the same epoch: which one is over cannot be told from that."""
    watch = SessionWatch()
    watch.saw_snapshot(watch.asking(), board(5))
    first, second = watch.asking(), watch.asking()
    watch.saw_snapshot(second, board(1, epoch="three"))
    watch.saw_snapshot(first, board(1, epoch="two"))
    watch.saw_snapshot(watch.asking(), board(2, epoch="three"))
    assert watch.broken == []


def test_two_boards_of_one_version():
    watch = SessionWatch()
    watch.saw(board(5, 50))
    watch.saw(msgspec.structs.replace(board(5, 50), participants=2))
    assert "differ" in watch.broken[0]


def test_total_that_falls():
    """A partial board was shown, or one was built of less than the one before."""
    watch = SessionWatch()
    watch.saw(board(5, 50))
    watch.saw(board(6, 40))
    assert "has 40 here and 50 in version 5" in watch.broken[0]
