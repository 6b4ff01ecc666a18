"""When rooms are due."""

from tiebreak.ids import new_id
from tiebreak.quiz.model import QuizSessionId
from tiebreak.socket_adapter.room_schedule import RoomSchedule

ONE, TWO = QuizSessionId(new_id()), QuizSessionId(new_id())


def test_after_a_quiet_time_at_once():
    """The first change does not wait."""
    rooms = RoomSchedule()
    assert (rooms.next_at, rooms.due(100.0)) == (None, [])
    assert rooms.want(ONE, 100.0) == 100.0
    assert (rooms.due(100.0), rooms.next_at) == ([ONE], 100.0)
    rooms.told(ONE, 100.0, 0.1)
    assert rooms.due(200.0) == []
    assert rooms.want(ONE, 200.0) == 200.0


def test_what_follows_waits_for_the_interval():
    """Wanted again and again, a room is told once, an interval after the last time."""
    rooms = RoomSchedule()
    rooms.told(ONE, 100.0, 0.5)
    assert [rooms.want(ONE, now) for now in (100.0, 100.2, 100.4)] == [100.5] * 3
    assert rooms.due(100.4) == []
    assert rooms.due(100.5) == [ONE]
    rooms.told(ONE, 100.5, 0.5)
    assert not rooms.waiting


def test_rooms_do_not_wait_for_each_other():
    """One that rests does not hold up one that is quiet."""
    rooms = RoomSchedule()
    rooms.told(ONE, 100.0, 0.5)
    rooms.want(ONE, 100.1)
    rooms.want(TWO, 100.1)
    assert rooms.due(100.1) == [TWO]
    assert rooms.waiting == {ONE, TWO}
    rooms.told(TWO, 100.1, 0.1)
    assert rooms.next_at == 100.5


def test_only_rest_is_remembered():
    """Those that were left alone long enough are forgotten, the others are not."""
    rooms = RoomSchedule()
    rooms.told(ONE, 100.0, 0.1)
    rooms.told(TWO, 100.0, 0.5)
    rooms.forget_rested(100.2)
    assert rooms.want(ONE, 100.2) == 100.2
    assert rooms.want(TWO, 100.2) == 100.5
