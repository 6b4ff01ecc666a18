"""Which faults happen when: the same seed, round and topology are the same schedule. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from random import Random
from typing import Literal

import msgspec

Bus = Literal["streams", "kafka"]
Direction = Literal["there", "back", "both"]

POSTGRES, CACHE, KAFKA, AUTH, PLAYERS = "postgres", "cache", "kafka", "auth-server-1", "players"
APP_SERVERS = ("app-server-1", "app-server-2")
PUBLISHERS = ("publisher-worker-1", "publisher-worker-2")
CACHE_WORKERS = ("cache-worker-1", "cache-worker-2")
PROCESSES = (AUTH, *APP_SERVERS, *PUBLISHERS, *CACHE_WORKERS)


class Kind(StrEnum):
    """What can be done to something."""

    KILL = "kill -9"
    KILL_WAITING = "kill -9 while a connection is stalled"
    FREEZE = "freeze (SIGSTOP)"
    TERMINATE = "stop (SIGTERM)"
    KILL_SERVER = "kill -9 of a server"
    FREEZE_SERVER = "freeze of a server"
    RESTART_SERVER = "restart of a server"
    CUT = "connections cut (RST)"
    REFUSE = "connections refused"
    STALL = "connections stalled"
    HALF_OPEN = "connections half open"
    SLOW = "slow network"
    NARROW = "narrow network"
    KILL_BACKEND = "kill -9 of a database connection's process"
    END_BACKENDS = "database connections ended"
    NO_CONNECTIONS = "no database connections left"
    READ_ONLY_DATABASE = "database read-only"
    LOCK = "ledger locked"
    FULL_DISK = "disk full"
    READ_ONLY_CACHE = "cache read-only"
    FULL_CACHE = "cache out of memory"
    SCRIPT_FLUSH = "cache forgets its scripts"
    FLUSH = "cache emptied (FLUSHALL)"
    FORGET = "cache restarts without its last second"
    FAILOVER = "failover to an older copy of the cache"
    CLOCK = "clock step"


# What a board may only survive because it is built anew from the ledger.
CACHE_LOSSES = frozenset({Kind.FLUSH, Kind.FORGET, Kind.FAILOVER})
# Over in a few seconds, servers that start slowly included: for `make test`.
CHEAP = (
    Kind.KILL,
    Kind.KILL_WAITING,
    Kind.FREEZE,
    Kind.KILL_SERVER,
    Kind.CUT,
    Kind.STALL,
    Kind.SLOW,
    Kind.END_BACKENDS,
    Kind.READ_ONLY_DATABASE,
    Kind.SCRIPT_FLUSH,
    Kind.CLOCK,
    Kind.FLUSH,
    Kind.FORGET,
    Kind.FAILOVER,
)


class Fault(msgspec.Struct, frozen=True):
    """One fault. `amount`: seconds of a delay, bytes a second, seconds of a clock step; its kind says which."""

    kind: Kind
    target: str
    at_seconds: float
    seconds: float = 0.0
    amount: float = 0.0
    direction: Direction = "both"

    def __str__(self) -> str:
        lasts = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.kind}: {self.target}{lasts}"


def source(link: str) -> str:
    """Whose way it is."""
    return link.partition("→")[0]


def links(bus: Bus) -> tuple[str, ...]:
    """Every way from one process to another, `from→to`."""
    of_app_servers = [f"{app}→{server}" for app in APP_SERVERS for server in (POSTGRES, CACHE, AUTH)]
    workers_bus = KAFKA if bus == "kafka" else CACHE
    ways = [
        *(f"{PLAYERS}→{app}" for app in APP_SERVERS),
        *of_app_servers,
        f"{AUTH}→{POSTGRES}",
        f"{AUTH}→{CACHE}",
        *(f"{worker}→{server}" for worker in PUBLISHERS for server in (POSTGRES, workers_bus)),
        *(f"{worker}→{CACHE}" for worker in CACHE_WORKERS),
        *(f"{worker}→{KAFKA}" for worker in CACHE_WORKERS if bus == "kafka"),
    ]
    return tuple(ways)


def servers(bus: Bus) -> tuple[str, ...]:
    return (POSTGRES, CACHE, KAFKA) if bus == "kafka" else (POSTGRES, CACHE)


def targets(bus: Bus) -> Mapping[Kind, Sequence[str]]:
    """What each kind can happen to."""
    of_processes = dict.fromkeys((Kind.KILL, Kind.FREEZE, Kind.TERMINATE), PROCESSES)
    of_servers = dict.fromkeys(
        (Kind.KILL_SERVER, Kind.FREEZE_SERVER, Kind.RESTART_SERVER, Kind.FULL_DISK), servers(bus)
    )
    network = (Kind.CUT, Kind.REFUSE, Kind.STALL, Kind.HALF_OPEN, Kind.SLOW, Kind.NARROW)
    database = (Kind.KILL_BACKEND, Kind.END_BACKENDS, Kind.NO_CONNECTIONS, Kind.READ_ONLY_DATABASE, Kind.LOCK)
    cache = (Kind.READ_ONLY_CACHE, Kind.FULL_CACHE, Kind.SCRIPT_FLUSH, *sorted(CACHE_LOSSES))
    # The way of an answer: what else processes do can be done again.
    of_answers = [
        link
        for link in links(bus)
        if link in {f"{app}→{POSTGRES}" for app in APP_SERVERS} or source(link) in {*PUBLISHERS, *CACHE_WORKERS}
    ]
    return {
        **of_processes,
        Kind.KILL_WAITING: of_answers,
        **of_servers,
        **dict.fromkeys(network, links(bus)),
        **dict.fromkeys(database, (POSTGRES,)),
        **dict.fromkeys(cache, (CACHE,)),
        Kind.CLOCK: PROCESSES,
    }


def schedule(
    seed: int, round_number: int, *, faults: int, gap_seconds: float, bus: Bus, kinds: Collection[Kind]
) -> list[Fault]:
    """A round's faults, in order. Kinds are dealt like cards, so that all have come before one comes again."""
    random = Random(f"{seed}/{round_number}")
    possible = targets(bus)
    deck: list[Kind] = []
    found: list[Fault] = []
    at_seconds = 0.0
    for _ in range(faults):
        if not deck:
            deck = random.sample(sorted(kinds), len(kinds))
        kind = deck.pop()
        at_seconds += gap_seconds * random.uniform(0.4, 1.6)
        found.append(drawn(random, kind, random.choice(possible[kind]), round(at_seconds, 2)))
    return found


def drawn(random: Random, kind: Kind, target: str, at_seconds: float) -> Fault:
    """A fault with its particulars."""
    fault = Fault(kind, target, at_seconds)
    match kind:
        case Kind.FREEZE | Kind.FREEZE_SERVER | Kind.STALL | Kind.HALF_OPEN | Kind.REFUSE:
            direction = random.choice(("there", "back", "both"))
            return msgspec.structs.replace(fault, seconds=outage_seconds(random), direction=direction)
        case Kind.KILL_WAITING:
            # Long enough that the process is in the middle of something; `back`: it was done, and nobody was told.
            direction = random.choice(("there", "back", "both"))
            return msgspec.structs.replace(fault, seconds=random.uniform(0.2, 1.5), direction=direction)
        case Kind.SLOW:
            return msgspec.structs.replace(fault, seconds=random.uniform(1, 4), amount=random.uniform(0.02, 0.4))
        case Kind.NARROW:
            return msgspec.structs.replace(fault, seconds=random.uniform(1, 4), amount=random.uniform(5e3, 50e3))
        case Kind.KILL_SERVER | Kind.RESTART_SERVER | Kind.FORGET:
            return msgspec.structs.replace(fault, seconds=random.uniform(0, 2), amount=random.uniform(0.5, 1.5))
        case Kind.FAILOVER:
            return msgspec.structs.replace(fault, amount=random.uniform(1, 10))
        case Kind.NO_CONNECTIONS | Kind.READ_ONLY_DATABASE | Kind.LOCK | Kind.FULL_DISK:
            return msgspec.structs.replace(fault, seconds=random.uniform(0.5, 4))
        case Kind.READ_ONLY_CACHE | Kind.FULL_CACHE:
            return msgspec.structs.replace(fault, seconds=random.uniform(0.5, 4))
        case Kind.CLOCK:
            step = random.choice((-1, 1)) * random.choice((random.uniform(0.5, 5), random.uniform(30, 240)))
            return msgspec.structs.replace(fault, seconds=random.uniform(2, 8), amount=step)
        case _:
            return fault


def outage_seconds(random: Random) -> float:
    """Mostly short; one in four longer than a lease (4 s) or a consumer's session (3 and 6 s)."""
    return round(random.uniform(0.5, 2) if random.random() < 0.75 else random.uniform(4, 8), 2)
