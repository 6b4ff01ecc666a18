"""What a load test found out, for machines (docs/load-testing.md describes the JSON) and as an exit status."""

from __future__ import annotations

import msgspec

from tiebreak.load_test.distribution import Figures
from tiebreak.load_test.generator import GeneratorFigures
from tiebreak.load_test.options import Options
from tiebreak.load_test.screen import MessageFigures
from tiebreak.load_test.verdict import Verdict

VERSION = 1
GOOD, BAD, INTERRUPTED = 0, 1, 130


class AnswerFigures(msgspec.Struct, frozen=True):
    """What became of the answers; `refused` and `retries` by reason. `unsettled` only after an interruption."""

    due: int
    acknowledged: int
    acknowledged_per_second: float
    refused: dict[str, int]
    unacknowledged: int
    unsettled: int
    retries: dict[str, int]


class BoardFigures(msgspec.Struct, frozen=True):
    """Answer → seen: over all pairs of a pacemaker's answer and a player, and up to the last player of each."""

    every_player: Figures
    last_player: Figures
    unseen: int


class Report(msgspec.Struct, kw_only=True):
    """One run."""

    version: int = VERSION
    started_at_ms: int
    options: Options
    interrupted: bool
    seconds: float
    answers: AnswerFigures
    acknowledgement: Figures
    board: BoardFigures | None
    messages: MessageFigures | None
    messages_malformed: int = 0
    connections_lost: int
    renewals_failed: dict[str, int] = {}
    generator: GeneratorFigures
    verdict: Verdict | None
    failures: list[str] = []
    exit_status: int = GOOD


def judge(report: Report) -> Report:
    """Fill in the failures, one sentence each, and the exit status."""
    report.failures += answer_failures(report.answers)
    if report.answers.unsettled and not report.interrupted:
        report.failures.append(f"{report.answers.unsettled} answers were never settled: nobody waited for them.")
    report.failures += transport_failures(report)
    report.failures += board_failures(None if report.interrupted else report.board)
    report.failures += verdict_failures(report.verdict)
    report.failures += threshold_failures(report)
    report.exit_status = INTERRUPTED if report.interrupted else BAD if report.failures else GOOD
    return report


def answer_failures(answers: AnswerFigures) -> list[str]:
    failures: list[str] = []
    if answers.refused:
        reasons = ", ".join(f"{count} × {code}" for code, count in answers.refused.items())
        failures.append(f"{sum(answers.refused.values())} answers were refused: {reasons}.")
    if answers.unacknowledged:
        failures.append(f"{answers.unacknowledged} answers were never acknowledged.")
    return failures


def transport_failures(report: Report) -> list[str]:
    failures: list[str] = []
    if report.messages_malformed:
        failures.append(f"{report.messages_malformed} messages could not be read: they do not follow the protocol.")
    if report.renewals_failed:
        reasons = ", ".join(f"{count} × {reason}" for reason, count in report.renewals_failed.items())
        failures.append(
            f"{sum(report.renewals_failed.values())} log-ins could not be renewed ({reasons}). Answers that are then "
            "refused or never acknowledged may be due to that: see the auth server's log."
        )
    return failures


def board_failures(board: BoardFigures | None) -> list[str]:
    if board is None or not board.unseen:
        return []
    return [f"{board.unseen} times a player was not shown an answer within half a minute, or before the end."]


def verdict_failures(verdict: Verdict | None) -> list[str]:
    if verdict is None:
        return []
    found = [
        (verdict.lost, "acknowledged answers are lost"),
        (verdict.altered, "answers are in the ledger otherwise than they were sent"),
        (verdict.unsent, "answers are in the ledger that were refused or never sent"),
        (verdict.doubled, "answers more or fewer are counted by sessions than their participants have given"),
        (verdict.board_rows_wrong, "rows of leaderboards differ from the ledger"),
        (verdict.board_ranks_wrong, "ranks of leaderboards do not follow from their order"),
        (verdict.screens_behind, "players were not shown the final board"),
    ]
    return [f"{count} {what}." for count, what in found if count]


def threshold_failures(report: Report) -> list[str]:
    options, board = report.options, report.board
    limits = [
        ("--max-ack-p99-ms", options.max_ack_p99_ms, report.acknowledgement.p99_ms),
        ("--max-board-p99-ms", options.max_board_p99_ms, board.every_player.p99_ms if board else None),
    ]
    return [
        f"{name} {limit:g} is exceeded: {'nothing was measured' if found is None else f'it was {found:g} ms'}."
        for name, limit, found in limits
        if limit is not None and (found is None or found > limit)
    ]
