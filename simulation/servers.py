"""The servers of a schedule, made anew for each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha1
from typing import Any

from simulation.bus_server import BusServer, Manner
from simulation.cache import CacheServer
from simulation.database import DatabaseServer
from simulation.keyspace import Keyspace
from simulation.network import Network
from simulation.rooms import RoomStreams
from simulation.tables import Tables
from tiebreak.cache.leaderboard import lua

PARTITIONS = 3


@cache
def script_digests() -> dict[str, str]:
    """By the text of each script."""
    board = [lua("life.lua", "board.lua", f"{name}.lua") for name in ("apply", "begin", "fill", "read", "standings")]
    texts = [*board, lua("wanted.lua"), lua("life.lua", "incarnation.lua")]
    return {text: sha1(text.encode(), usedforsecurity=False).hexdigest() for text in texts}


class Servers:
    """`cache` is the one that processes should be talking to; `is_shared`: the bus lives in it."""

    def __init__(
        self,
        network: Network,
        now: Callable[[], float],
        life: str,
        manner: Manner,
        *,
        is_shared: bool,
        on_nudge: Callable[[], None],
        on_read: Callable[[CacheServer, str, list[Any]], None],
    ) -> None:
        self.database = DatabaseServer(Tables(now), on_nudge)
        self.cache = CacheServer(Keyspace(life, now), on_read)
        self.bus = BusServer(manner, PARTITIONS, now)
        self.is_shared = is_shared
        self.rooms = RoomStreams(network)
        self.digests = script_digests()
