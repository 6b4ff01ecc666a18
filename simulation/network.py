"""Calls from processes to servers: done once, not at all, in part or later, and the caller cannot know which."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeAlias

from simulation.history import History
from simulation.virtual_loop import VirtualLoop
from simulation.weather import Weather

# What a server does at once when a request arrives.
Work: TypeAlias = Callable[[], Any]
# The errors that a client's library raises for a lost connection and for a time-out.
Outages: TypeAlias = tuple[Exception, Exception]

SHORTEST_SECONDS, LONGEST_SECONDS = 0.0002, 0.002
SLOWEST_SECONDS = 1.5


class Server:
    """Up or down. What is on its way, there or back, when its connections are cut never arrives."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_up = True
        # How often all connections were cut.
        self.cuts = 0

    def cut_connections(self) -> None:
        self.cuts += 1

    def go_down(self) -> None:
        self.is_up = False
        self.cut_connections()

    def come_up(self) -> None:
        self.is_up = True


class Request:
    """On its way."""

    __slots__ = ("cuts", "server", "what", "who", "works")

    def __init__(self, who: str, server: Server, cuts: int, what: str, works: Sequence[Work]) -> None:
        self.who = who
        self.server = server
        self.cuts = cuts
        self.what = what
        self.works = works


class Network:
    """Between everybody and all servers."""

    def __init__(self, loop: VirtualLoop, random: Random, weather: Weather, history: History) -> None:
        self.loop = loop
        self.random = random
        self.weather = weather
        self.history = history
        self.faults: Counter[str] = Counter()
        # When the last thing arrives that is on its way now.
        self.busy_until = 0.0
        # What can happen to a process in the middle of a call, by its name.
        self.kill: Callable[[str], None] = lambda _: None
        self.stop: Callable[[str], None] = lambda _: None

    def seconds(self) -> float:
        """How long a message takes."""
        random = self.random.random
        if random() < self.weather.slow:
            self.faults["slow"] += 1
            return random() * SLOWEST_SECONDS
        return SHORTEST_SECONDS + random() * (LONGEST_SECONDS - SHORTEST_SECONDS)

    def is_untold(self) -> bool:
        """Whether a message that nobody waits for gets lost."""
        if self.random.random() < self.weather.untold:
            self.faults["untold"] += 1
            return True
        return False

    def later(self, seconds: float, work: Callable[..., object], *arguments: Any) -> None:  # noqa: ANN401
        """Something arrives."""
        self.busy_until = max(self.busy_until, self.loop.time() + seconds)
        self.loop.happens(seconds, work, *arguments)

    def call(self, who: str, server: Server, what: str, works: Sequence[Work], outages: Outages) -> asyncio.Future[Any]:
        """The results of `works`, done one after the other when the request arrives; what one raises is its result."""
        future: asyncio.Future[Any] = self.loop.create_future()
        weather, random = self.weather, self.random
        fate = random.random()
        outage = outages[random.random() < 0.2]
        there, back = self.seconds(), self.seconds()
        if random.random() < weather.killed_in_call:
            self._in_call("killed_in_call", self.kill, who, there + back)
        if random.random() < weather.stopped_in_call:
            self._in_call("stopped_in_call", self.stop, who, there + back)
        request = Request(who, server, server.cuts, what, works)
        if fate < weather.request_lost:
            self._fault("request_lost", request)
            self.later(there + back, fail, future, outage)
        elif (fate := fate - weather.request_lost) < weather.reply_lost:
            self._fault("reply_lost", request)
            # Of a pipeline the server may have read a part only.
            request.works = works[: random.randint(1, len(works))]
            self.later(there, self._arrive, request, None, 0.0, outage)
            self.later(there + back, fail, future, outage)
        elif fate - weather.reply_lost < weather.late:
            self._fault("late", request)
            self.later(there, fail, future, outage)
            self.later(there + random.random() * SLOWEST_SECONDS, self._arrive, request, None, 0.0, outage)
        else:
            self.later(there, self._arrive, request, future, back, outage)
        return future

    def _in_call(self, kind: str, happen: Callable[[str], None], who: str, seconds: float) -> None:
        self.faults[kind] += 1
        # Before it arrives, before the reply does, or soon after that: while the next call is under way.
        self.loop.happens(self.random.random() * 1.5 * seconds, happen, who)

    def _fault(self, kind: str, request: Request) -> None:
        self.faults[kind] += 1
        self.history.add(request.who, f"{request.server.name} {request.what}", kind)

    def _arrive(self, request: Request, future: asyncio.Future[Any] | None, back: float, outage: Exception) -> None:
        server = request.server
        if not server.is_up or server.cuts != request.cuts:
            if future is not None:
                self.later(back, fail, future, outage)
            return
        results = [done(work) for work in request.works]
        self.history.add(request.who, f"{server.name} {request.what}", results)
        if future is not None:
            self.later(back, self._reply, request, future, results, outage)

    def _reply(self, request: Request, future: asyncio.Future[Any], results: list[Any], outage: Exception) -> None:
        if request.server.cuts != request.cuts:
            fail(future, outage)
        elif not future.done():
            future.set_result(results)


def done(work: Work) -> Any:  # noqa: ANN401 - whatever a server says
    try:
        return work()
    except Exception as error:
        return error


def fail(future: asyncio.Future[Any], outage: Exception) -> None:
    if not future.done():
        # A fresh one: tracebacks grow with each raise of the same.
        future.set_exception(type(outage)(*outage.args))
