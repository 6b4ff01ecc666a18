"""When who answers: the whole schedule is drawn beforehand and depends on the seed alone.

All shapes have the same mean rate; they differ in how evenly it comes.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from random import Random
from typing import NamedTuple, assert_never

from tiebreak.load_test.content import ANSWERS_PER_PLAYER
from tiebreak.load_test.options import Shape

RIGHT_SHARE = 0.7
BURST_SECONDS = 1.0
# Pauses of people are log-normal; this spread puts nine of ten pauses between 0.3 and 2.2 times the mean.
PAUSE_SIGMA = 0.6


class Turn(NamedTuple):
    """A player answers its next question, so many seconds after the start."""

    at_seconds: float
    player: int
    right: bool


def turns(shape: Shape, *, players: int, rate: float, seconds: float, random: Random) -> Iterator[Turn]:
    """The schedule in the order of time; no player has more than ANSWERS_PER_PLAYER turns."""
    match shape:
        case "burst":
            moments = burst(players, rate, seconds, random)
        case "steady":
            moments = steady(players, rate, seconds, random)
        case "exam":
            moments = exam(players, rate, seconds, random)
        case _:
            assert_never(shape)
    return (Turn(at, player, random.random() < RIGHT_SHARE) for at, player in moments)


def burst(players: int, rate: float, seconds: float, random: Random) -> Iterator[tuple[float, int]]:
    """The whole room within one second, in an order of its own each time; then it waits for the next question."""
    every = players / rate
    for number in range(max(1, math.floor(seconds / every))):
        moments = sorted(random.random() * BURST_SECONDS for _ in range(players))
        yield from (
            (number * every + at, player) for at, player in zip(moments, shuffled(players, random), strict=True)
        )


def steady(players: int, rate: float, seconds: float, random: Random) -> Iterator[tuple[float, int]]:
    """One after the other, each anywhere within the time of its turn."""
    order = shuffled(players, random)
    for number in range(math.floor(rate * seconds)):
        yield (number + random.random()) / rate, order[number % players]


def exam(players: int, rate: float, seconds: float, random: Random) -> Iterator[tuple[float, int]]:
    """Everybody at a pace of their own, thinking anew about each question."""
    log_pause = math.log(players / rate) - PAUSE_SIGMA**2 / 2
    due = [(random.random() * random.lognormvariate(log_pause, PAUSE_SIGMA), player, 1) for player in range(players)]
    heapq.heapify(due)
    while due and due[0][0] < seconds:
        at, player, given = due[0]
        yield at, player
        if given < ANSWERS_PER_PLAYER:
            heapq.heapreplace(due, (at + random.lognormvariate(log_pause, PAUSE_SIGMA), player, given + 1))
        else:
            heapq.heappop(due)


def shuffled(players: int, random: Random) -> list[int]:
    return random.sample(range(players), players)
