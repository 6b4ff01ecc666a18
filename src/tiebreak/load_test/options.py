"""What is asked of a load test."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import msgspec

from tiebreak.errors import SettingsInvalid
from tiebreak.load_test.content import ANSWERS_PER_PLAYER

Shape: TypeAlias = Literal["burst", "steady", "exam"]
Way: TypeAlias = Literal["socket", "http"]

DEFAULT_PLAYERS = 200
DEFAULT_SECONDS = 30.0
# An answer every five seconds: a brisk quiz.
DEFAULT_PAUSE_SECONDS = 5.0


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`rate` is the mean number of answers a second by all players together, whatever the shape."""

    url: str
    players: int = DEFAULT_PLAYERS
    sessions: int = 1
    shape: Shape = "steady"
    rate: float = DEFAULT_PLAYERS / DEFAULT_PAUSE_SECONDS
    seconds: float = DEFAULT_SECONDS
    over: Way = "socket"
    sockets: bool = True
    seed: int = 1
    max_board_p99_ms: float | None = None
    max_ack_p99_ms: float | None = None


def check(options: Options) -> Options:
    """The options, if they can be done together. Raises SettingsInvalid, which says what to change."""
    if not options.url.startswith(("http://", "https://")):
        raise SettingsInvalid(f"{options.url!r} is no URL: give the origin, e.g. http://127.0.0.1:8000.")
    if options.sessions > options.players:
        raise SettingsInvalid("--sessions is more than --players: a session needs a player.")
    if options.rate * options.seconds < 1:
        raise SettingsInvalid("That is not even one answer: take a higher --rate or more --seconds.")
    if not options.sockets and options.over == "socket":
        raise SettingsInvalid("--no-sockets leaves nothing to answer over: add --over http.")
    if not options.sockets and options.max_board_p99_ms is not None:
        raise SettingsInvalid("--max-board-p99-ms cannot be measured with --no-sockets: leave one of them out.")
    if options.shape == "burst" and options.rate > options.players:
        raise SettingsInvalid(
            f"In a burst each player answers once a second at most: --rate may be up to {options.players}."
        )
    each = math.ceil(options.rate * options.seconds / options.players)
    if each > ANSWERS_PER_PLAYER:
        raise SettingsInvalid(
            f"A quiz has {ANSWERS_PER_PLAYER} questions for each player, and this takes {each}: "
            "take more --players, a lower --rate or fewer --seconds."
        )
    return options
