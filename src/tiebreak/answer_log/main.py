"""The two commands: what they print, and their exit status."""

from __future__ import annotations

import argparse
from typing import cast

import msgspec

from tiebreak.answer_log.replay import board_text, replay
from tiebreak.answer_log.verify import verdict_text, verify
from tiebreak.quiz.model import AnswerId
from tiebreak.quiz.receipts import Receipt


async def run_verify(parsed: argparse.Namespace, database_url: str) -> tuple[str, int]:
    """Status 0 if the receipt holds, else 1. Raises Faults."""
    receipt = cast("Receipt", parsed.receipt)
    verdict = await verify(database_url, receipt)
    return verdict_text(receipt, verdict), 1 if verdict.problems else 0


async def run_replay(parsed: argparse.Namespace, database_url: str) -> tuple[str, int]:
    """Raises Faults."""
    board = await replay(
        database_url,
        cast("str", parsed.session),
        at_ms=cast("int | None", parsed.at),
        until=cast("AnswerId | None", parsed.until),
        limit=cast("int | None", parsed.limit),
    )
    text = msgspec.json.format(msgspec.json.encode(board)).decode() if cast("bool", parsed.json) else board_text(board)
    return text, 0
