"""The report for people."""

from __future__ import annotations

from collections.abc import Iterator

from tiebreak.load_test.distribution import Figures
from tiebreak.load_test.report import Report


def summary(report: Report) -> str:
    """Plain lines."""
    return "\n".join(lines(report))


def lines(report: Report) -> Iterator[str]:
    options, answers = report.options, report.answers
    if report.interrupted:
        yield "Interrupted: what was measured until then, and not checked against the ledger."
    yield line(
        "load",
        f"{options.players} players, {options.sessions} session{'s' * (options.sessions > 1)}, {options.shape}, "
        f"{options.rate:g} answers/s for {options.seconds:g} s over {options.over}",
    )
    yield line(
        "acknowledged", f"{answers.acknowledged} of {answers.due} answers, {answers.acknowledged_per_second:g}/s"
    )
    if answers.unsettled:
        yield line("", f"{answers.unsettled} under way")
    if answers.retries:
        yield line("sent again", ", ".join(f"{count} × {reason}" for reason, count in answers.retries.items()))
    yield line("answer → ack", durations(report.acknowledgement))
    if report.board:
        yield line("answer → seen", f"{durations(report.board.every_player)} (every player's board)")
        yield line("", f"{durations(report.board.last_player)} (the last player)")
    if messages := report.messages:
        kinds = ", ".join(f"{rate:g} {kind}" for kind, rate in messages.by_kind.items())
        yield line(
            "messages",
            f"{messages.per_player_second:g} a second to each player ({kinds}), at most {messages.most_in_a_second}",
        )
    if report.connections_lost:
        yield line("connections", f"{report.connections_lost} lost and opened again")
    yield line("generator", f"{report.generator.core_share:.0%} of its core, loop late by {lateness(report)}")
    if report.generator.was_busy:
        yield line("", "It was itself the bottleneck: give it a core of its own, or run several.")
    yield from verdict_lines(report)
    yield from (f"FAILED  {failure}" for failure in report.failures)


def verdict_lines(report: Report) -> Iterator[str]:
    verdict = report.verdict
    if verdict is None:
        return
    yield line("ledger", f"lost = {verdict.lost}, counted = {verdict.counted}, doubled = {verdict.doubled}")
    if verdict.unacknowledged_but_counted:
        yield line("", f"{verdict.unacknowledged_but_counted} were never acknowledged and count once")
    yield line("board", "board = ledger" if verdict.board_is_ledger else "board ≠ ledger")
    yield from (line("", example) for example in verdict.examples)


def line(label: str, text: str) -> str:
    return f"{label:<15} {text}"


def durations(figures: Figures) -> str:
    if not figures.count:
        return "nothing measured"
    return f"p50 {shown(figures.p50_ms)}, p99 {shown(figures.p99_ms)}, max {shown(figures.max_ms)}"


def lateness(report: Report) -> str:
    return f"{shown(report.generator.loop_lag_p99_ms)} at p99, {shown(report.generator.loop_lag_max_ms)} at most"


def shown(ms: float | None) -> str:
    """Milliseconds as one reads them."""
    if ms is None:
        return "–"
    return f"{ms:.1f} ms" if ms < 100 else f"{ms:.0f} ms"
