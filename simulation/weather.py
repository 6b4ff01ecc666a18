"""How likely what goes wrong in a schedule: another mixture for each, so that rare meetings of few kinds happen too."""

from __future__ import annotations

from random import Random

import msgspec

# Many of a kind of fault in one schedule find other things than one of each in all.
INTENSITIES = (0.005, 0.02, 0.08)
# There are some hundred calls in a schedule, and some ten batches for the bus.
RARER = {"killed_in_call": 5, "stopped_in_call": 10, "doubled": 0.4, "half_acknowledged": 0.2}


class Weather(msgspec.Struct):
    """Chances of each call over the network, from 0 to 1."""

    # Never arrives; the caller is told of a lost connection.
    request_lost: float = 0.0
    # Done, and the caller is told of a lost connection.
    reply_lost: float = 0.0
    # The caller is told of a lost connection or of a time-out; done after that.
    late: float = 0.0
    # Takes long, either way.
    slow: float = 0.0
    # The bus takes a message twice, or acknowledges a part of what it took.
    doubled: float = 0.0
    half_acknowledged: float = 0.0
    # Somebody is killed, or made to stand still, while a call of theirs is under way.
    killed_in_call: float = 0.0
    stopped_in_call: float = 0.0
    # A message to a room, or a nudge, gets lost.
    untold: float = 0.0


def drawn(random: Random) -> Weather:
    """The weather of a schedule."""
    return Weather(
        **{
            name: random.choice(INTENSITIES) / RARER.get(name, 1) if random.random() < 0.5 else 0.0
            for name in Weather.__struct_fields__
        }
    )
