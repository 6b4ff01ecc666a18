"""The command line of `tiebreak loadtest`. Imports nothing heavy: `tiebreak` reads it whatever the command."""

from __future__ import annotations

import argparse
from typing import cast

from tiebreak.load_test.options import (
    DEFAULT_PAUSE_SECONDS,
    DEFAULT_PLAYERS,
    DEFAULT_SECONDS,
    Options,
    Shape,
    Way,
)


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Everything but the URL may be left out."""
    command.add_argument(
        "url", metavar="URL", help="where it serves: a gateway or an app server, e.g. http://127.0.0.1:8000"
    )
    command.add_argument("--players", type=whole, default=DEFAULT_PLAYERS, metavar="N", help="default: 200")
    command.add_argument("--sessions", type=whole, default=1, metavar="N", help="that share the players (default: 1)")
    command.add_argument(
        "--shape",
        choices=["burst", "steady", "exam"],
        default="steady",
        help="burst: the whole room within a second, then a pause; steady: one after the other (default); "
        "exam: everybody at a pace of their own",
    )
    command.add_argument(
        "--rate",
        type=positive,
        metavar="ANSWERS_PER_SECOND",
        help="of all players together, on average (default: an answer of each player every 5 s)",
    )
    command.add_argument("--seconds", type=positive, default=DEFAULT_SECONDS, metavar="S", help="default: 30")
    command.add_argument(
        "--over", choices=["socket", "http"], default="socket", help="how answers go (default: socket)"
    )
    command.add_argument("--no-sockets", action="store_true", help="nobody looks at the board; needs --over http")
    command.add_argument("--seed", type=int, default=1, metavar="N", help="of the schedule (default: 1)")
    command.add_argument("--json", metavar="FILE", help="write the report there as JSON; - is standard output")
    command.add_argument(
        "--max-ack-p99-ms", type=positive, metavar="MS", help="exit with 1 if acknowledgements take longer at p99"
    )
    command.add_argument(
        "--max-board-p99-ms", type=positive, metavar="MS", help="exit with 1 if answers are seen later at p99"
    )


def options_of(parsed: argparse.Namespace) -> Options:
    """What was asked for."""
    players = cast("int", parsed.players)
    rate = cast("float | None", parsed.rate)
    return Options(
        url=cast("str", parsed.url),
        players=players,
        sessions=cast("int", parsed.sessions),
        shape=cast("Shape", parsed.shape),
        rate=players / DEFAULT_PAUSE_SECONDS if rate is None else rate,
        seconds=cast("float", parsed.seconds),
        over=cast("Way", parsed.over),
        sockets=not cast("bool", parsed.no_sockets),
        seed=cast("int", parsed.seed),
        max_ack_p99_ms=cast("float | None", parsed.max_ack_p99_ms),
        max_board_p99_ms=cast("float | None", parsed.max_board_p99_ms),
    )


def whole(text: str) -> int:
    """A number of things, from the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def positive(text: str) -> float:
    """A number above 0, from the command line."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return number
