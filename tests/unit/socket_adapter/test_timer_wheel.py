"""The timer wheel, on a loop whose time is moved by hand."""

import heapq
import itertools
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiebreak.socket_adapter.engine_io import timer_wheel
from tiebreak.socket_adapter.engine_io.timer_wheel import TimerWheel

TICK = 0.5
# Somewhere between two ticks: a loop's time begins anywhere.
BEGIN = 1_000.2


class Loop:
    """What the wheel needs of an event loop; `pass_time` runs it."""

    def __init__(self):
        self.now = BEGIN
        self._order = itertools.count()
        self._calls = []

    def time(self):
        return self.now

    def call_at(self, when, callback, *arguments):
        handle = SimpleNamespace(cancelled=False)
        handle.cancel = lambda: setattr(handle, "cancelled", True)
        heapq.heappush(self._calls, (when, next(self._order), handle, callback, arguments))
        return handle

    def call_soon(self, callback, *arguments):
        return self.call_at(self.now, callback, *arguments)

    @property
    def waiting(self):
        """How many calls the loop has been asked for."""
        return sum(not handle.cancelled for _, _, handle, _, _ in self._calls)

    def pass_time(self, seconds):
        """Make every call that is due, each at its time."""
        until = self.now + seconds
        while self._calls and self._calls[0][0] <= until:
            self.turn()
        self.now = until

    def turn(self):
        """Make the next call."""
        when, _, handle, callback, arguments = heapq.heappop(self._calls)
        self.now = max(self.now, when)
        if not handle.cancelled:
            callback(*arguments)


@pytest.fixture
def loop(monkeypatch):
    loop = Loop()
    monkeypatch.setattr(timer_wheel.asyncio, "get_running_loop", lambda: loop)
    return loop


@pytest.fixture
def wheel(loop):
    return TimerWheel(TICK)


def record(loop, wheel, *seconds):
    """Schedule a call for each, and return a list that gets when they were made."""
    made = []
    for delay in seconds:
        wheel.call_later(delay, lambda delay=delay, asked_at=loop.now: made.append((delay, loop.now - asked_at)))
    return made


def test_calls_come_within_a_tick_after_their_time(loop, wheel):
    """And never before it."""
    made = record(loop, wheel, 3.0, 0.0, 0.1, 0.4999, 0.5, 1.0, 60.0)
    loop.pass_time(100)
    assert len(made) == 7
    for asked, took in made:
        assert asked <= took <= asked + TICK


@given(delays=st.lists(st.floats(0, 50), min_size=1), pauses=st.lists(st.floats(0, 5), max_size=20))
def test_any_delays_asked_for_at_any_time(delays, pauses):
    """The same, whenever the calls are asked for, while others wait or none does."""
    with pytest.MonkeyPatch.context() as patch:
        loop = Loop()
        patch.setattr(timer_wheel.asyncio, "get_running_loop", lambda: loop)
        wheel = TimerWheel(TICK)
        lists = []
        for delay, pause in itertools.zip_longest(delays, pauses, fillvalue=0.3):
            lists.append(record(loop, wheel, delay))
            loop.pass_time(pause)
        loop.pass_time(60)
        for [(asked, took)] in lists:
            assert asked - 1e-9 <= took <= asked + TICK + 1e-9
        assert loop.waiting == 0


def test_it_rests_while_nothing_is_scheduled(loop, wheel):
    """An empty wheel asks the loop for nothing, and begins to turn again when it is needed."""
    assert loop.waiting == 0
    for _ in range(3):
        made = record(loop, wheel, 1.0)
        assert loop.waiting == 1
        loop.pass_time(10)
        assert len(made) == 1
        assert loop.waiting == 0


def test_one_call_of_the_loop_for_all(loop, wheel):
    """However many timers there are."""
    record(loop, wheel, *range(1_000))
    assert loop.waiting == 1


def test_cancelled_calls_are_not_made(loop, wheel):
    """Nor kept; those made already, unknown ones and a second time make no difference."""
    made = []

    def callback():
        made.append("cancelled")

    tick = wheel.call_later(1.0, callback)
    record(loop, wheel, 0.0)
    wheel.cancel(tick, callback)
    wheel.cancel(tick, callback)
    wheel.cancel(tick + 1, callback)
    wheel.cancel(0, callback)
    loop.pass_time(10)
    assert made == []
    tick = wheel.call_later(1.0, callback)
    loop.pass_time(10)
    wheel.cancel(tick, callback)
    assert made == ["cancelled"]
    assert loop.waiting == 0


def test_bound_methods_can_be_cancelled(loop, wheel):
    """A bound method is another object each time it is named, and the same callback all the same."""
    made = []
    tick = wheel.call_later(1.0, made.clear)
    wheel.call_later(1.0, made.clear)
    made.append("kept")
    wheel.cancel(tick, made.clear)
    loop.pass_time(10)
    assert made == ["kept"]


def test_calls_scheduled_by_calls(loop, wheel):
    """They come in a later tick, never in the same: a call that asks for itself at once does not hold up the loop."""
    times = []

    def again():
        times.append(loop.now)
        if len(times) < 5:
            wheel.call_later(0.0, again)

    wheel.call_later(0.0, again)
    loop.pass_time(10)
    assert len(times) == 5
    assert all(later - earlier == pytest.approx(TICK) for earlier, later in itertools.pairwise(times))


def test_a_call_that_fails(loop, wheel, caplog):
    """The others are made all the same, then and later."""
    made = []

    def fail():
        made.append("failed")
        raise RuntimeError("nobody else's business")

    for at in range(5):
        wheel.call_later(1.0, fail if at == 2 else lambda at=at: made.append(at))
    wheel.call_later(5.0, lambda: made.append("later"))
    loop.pass_time(10)
    assert {*made} == {0, 1, "failed", 3, 4, "later"}


def test_many_calls_at_once_come_in_portions(loop, wheel):
    """The loop has its turn between them; none is lost, and none that is scheduled meanwhile."""
    made = []
    count = 3 * timer_wheel.PORTION + 7
    for at in range(count):
        wheel.call_later(1.0, lambda at=at: made.append(at))
    sizes = []
    while len(made) < count:
        before = len(made)
        loop.turn()
        if len(made) > before:
            sizes.append(len(made) - before)
            wheel.call_later(0.0, lambda: made.append("meanwhile"))
    assert sizes == [timer_wheel.PORTION] * 3 + [7]
    loop.pass_time(10)
    assert made.count("meanwhile") == 4
    assert loop.waiting == 0


def test_after_a_long_sleep(loop, wheel):
    """A machine that was suspended makes all calls that are due, those of ticks long past included."""
    made = record(loop, wheel, 1.0, 30.0, 3_000.0)
    loop.now += 3_600
    loop.turn()
    loop.pass_time(0)
    assert sorted(asked for asked, _ in made) == [1.0, 30.0, 3_000.0]


def test_closing(loop, wheel):
    """Nothing is called any more, not even what is half done; it can be used again."""
    made = record(loop, wheel, *([1.0] * (timer_wheel.PORTION + 5)))
    while not made:
        loop.turn()
    wheel.close()
    loop.pass_time(10)
    assert len(made) == timer_wheel.PORTION
    assert loop.waiting == 0
    wheel.close()
    made = record(loop, wheel, 1.0)
    loop.pass_time(10)
    assert len(made) == 1
