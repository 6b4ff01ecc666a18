"""What a run found, as docs/reliability.md."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chaos.faults import Struck
from chaos.history import Figures
from chaos.rounds import QUIET_SECONDS, SETTLE_SECONDS, RoundResult
from chaos.schedule import Kind

# A report is worth keeping if it is about so many faults of all kinds.
LONG_RUN_FAULTS = 500


class Run(msgspec.Struct, frozen=True):
    """What was run, on what."""

    seed: int
    command: str
    versions: Sequence[str]
    rounds: Sequence[RoundResult]

    @property
    def struck(self) -> list[Struck]:
        return [one for result in self.rounds for one in result.struck]

    @property
    def failing(self) -> list[RoundResult]:
        return [result for result in self.rounds if result.broken]

    @property
    def is_long(self) -> bool:
        return len(self.struck) >= LONG_RUN_FAULTS and {one.fault.kind for one in self.struck} == set(Kind)

    @property
    def figures(self) -> Figures:
        total = Figures()
        for result in self.rounds:
            total.add(result.figures)
        return total


INTRODUCTION = f"""\
# Reliability

`make chaos` writes this page. It runs the whole system as real processes, two app servers, two publisher workers,
two cache workers and an auth server on a real Postgres, cache and bus, while players answer and everything breaks
by a seeded schedule: processes and servers are killed, frozen and stopped, every way between two of them is cut,
refused, half opened, stalled and slowed by a proxy of ours, disks and memory are full, clocks step, the cache
forgets. Players send again, twice at once, out of order, and try to answer twice ([why so](decisions/0024-chaos-by-
a-seeded-schedule.md)).

A run is made of rounds. After each round's last fault everything must resume by itself within {QUIET_SECONDS:.0f}
s, and then:

1. every acknowledged answer is in the ledger once, as it was acknowledged; none that was refused is there, none
   that nobody sent, and of several answers to one question one;
2. the board, whole, on every app server, is the ledger: rows, order, ties ({SETTLE_SECONDS:.0f} s to get there);
3. the last board that each connected client was shown is that board;
4. versions never went back within an epoch, two boards of one version never differed, no total ever fell, no
   snapshot was of an epoch that was over;
5. nobody was sent a message of another session; every 503 said when to come back;
6. the outbox is empty, no event was given up, every process is ready, and none ended but by a fault or as
   documented.
"""


def report(run: Run) -> str:
    """The page."""
    broken = [f"- round {result.number}: {line}" for result in run.failing for line in result.broken]
    verdict = "Nothing was broken." if not broken else "\n".join(["**Broken:**", "", *broken])
    return "\n".join(
        [
            INTRODUCTION,
            "## The run",
            "",
            f"`{run.command}`, seed {run.seed}. {verdict}",
            "",
            *(f"- {version}" for version in run.versions),
            "",
            *(f"- {line}" for line in told(run)),
            "",
            "## The faults",
            "",
            "How long after a fault's end an answer was acknowledged, and shown on a screen, to a lone player who has",
            "always one due. Other faults went on meanwhile, and players wait for all of them: an upper limit.",
            "",
            *table(run.struck),
            "",
        ]
    )


def told(run: Run) -> list[str]:
    """What it was made of."""
    figures, rounds = run.figures, run.rounds
    retries = ", ".join(f"{count:,} {reason}" for reason, count in figures.retries.most_common(8))
    refused = ", ".join(f"{count:,} {code}" for code, count in figures.refused.most_common())
    return [
        f"{len(run.struck)} faults in {len(rounds)} rounds and {sum(it.seconds for it in rounds) / 60:.0f} minutes",
        f"{figures.sessions} sessions, {figures.participants:,} participants, {figures.answers:,} answers in "
        f"{figures.attempts:,} requests, {figures.acknowledgements:,} acknowledgements",
        f"{figures.duplicates:,} answers sent again or twice at once on purpose, "
        f"{figures.rivals:,} questions answered twice",
        f"sent again because: {retries or 'never'}",
        f"refused: {refused or 'none'}",
        f"{figures.connections_lost:,} sockets lost and opened again, {figures.boards_shown:,} boards shown, "
        f"{figures.late_messages} came late and were dropped, {figures.epochs} epochs",
        f"{sum(it.restarts for it in rounds)} documented ends of processes, because what they stand on was away",
        f"longest time until all was acknowledged, ready and published after the last fault: "
        f"{longest([it.quiet_seconds for it in rounds])}; until boards and screens were right after that: "
        f"{longest([it.settle_seconds for it in rounds])}",
    ]


def table(struck: Sequence[Struck]) -> list[str]:
    """A line for each kind."""
    lines = [
        "| fault | times | longest until acknowledged | longest until shown |",
        "|---|--:|--:|--:|",
    ]
    for kind in Kind:
        of_kind = [one for one in struck if one.fault.kind is kind]
        if of_kind:
            acknowledged = longest([one.acknowledged_seconds for one in of_kind])
            seen = longest([one.seen_seconds for one in of_kind])
            lines.append(f"| {kind} | {len(of_kind)} | {acknowledged} | {seen} |")
    return lines


def longest(seconds: Sequence[float | None]) -> str:
    known = [it for it in seconds if it is not None]
    return f"{max(known):.1f} s" if known else "–"
