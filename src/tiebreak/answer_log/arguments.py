"""The command lines of `tiebreak verify` and `tiebreak replay`."""

from __future__ import annotations

import argparse
from uuid import UUID

from tiebreak.answer_log.moments import moment_ms
from tiebreak.ids import id_of
from tiebreak.quiz.receipts import Receipt, parse_receipt


def add_verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("receipt", type=receipt, metavar="RECEIPT", help="as the reply to the answer had it: tb1.…")


def add_replay_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help="the quiz session's id, or its PIN")
    moment = parser.add_mutually_exclusive_group()
    moment.add_argument(
        "--at",
        type=at_ms,
        metavar="TIME",
        help="by the answers accepted up to then: ISO 8601 (UTC unless it says), or milliseconds since 1970",
    )
    moment.add_argument(
        "--until", type=answer_id, metavar="ANSWER", help="when the log had taken the answer with this id"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--limit", type=rows, metavar="N", help="the first N rows only (default: all)")


def receipt(text: str) -> Receipt:
    try:
        return parse_receipt(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; copy all of it, from the reply to the answer") from error


def at_ms(text: str) -> int:
    try:
        return moment_ms(text)
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time: write 2026-11-28T18:30:00Z, or milliseconds since 1970"
        ) from error


def answer_id(text: str) -> UUID:
    found = id_of(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not an id: give the participant_answer_id of the answer's reply")
    return found


def rows(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
