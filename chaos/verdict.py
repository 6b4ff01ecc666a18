"""Whether everything is as promised: pure comparisons of what clients were told with what the system holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from chaos.boards import BoardMessage
from chaos.history import Given, History
from tiebreak.load_test.content import Submission
from tiebreak.load_test.replies import Row

TOP_ROWS = 10
NOT_COUNTED_TWICE = "question_already_answered"


class LedgerRow(msgspec.Struct, frozen=True):
    """A row of participant_answers."""

    id: str
    participant_id: str
    question_id: str
    answer_id: str
    answer: Submission
    score: int


def judge_answers(history: History, ledger: Sequence[LedgerRow]) -> list[str]:
    """Every acknowledged answer once and as it was acknowledged; nothing else but what was sent and not refused."""
    broken: list[str] = []
    by_answer_id: dict[str, LedgerRow] = {}
    of_question: dict[tuple[str, str], LedgerRow] = {}
    for row in ledger:
        if row.answer_id in by_answer_id:
            broken.append(f"the answer {row.answer_id} is in the ledger twice")
        if (row.participant_id, row.question_id) in of_question:
            broken.append(f"{row.participant_id} has two answers to {row.question_id} in the ledger")
        by_answer_id[row.answer_id] = row
        of_question[row.participant_id, row.question_id] = row
    for given in history.given:
        broken += judge_answer(given, by_answer_id.pop(given.answer_id, None))
    broken += [f"the answer {row.answer_id} is in the ledger and nobody sent it" for row in by_answer_id.values()]
    return broken


def judge_answer(given: Given, row: LedgerRow | None) -> list[str]:
    """One answer, with its row if there is one."""
    broken: list[str] = []
    who = f"the answer {given.answer_id}"
    if not given.is_settled:
        broken.append(f"{who} was never acknowledged, in {given.attempts} attempts")
    if len({known.participant_answer_id for known in given.acknowledged}) > 1:
        broken.append(f"{who} was acknowledged under several ids")
    if given.acknowledged and given.refused:
        broken.append(f"{who} was acknowledged, and refused as {given.refused[0]}")
    if row is None:
        if given.acknowledged:
            broken.append(f"{who} was acknowledged and is not in the ledger")
        return broken
    if given.refused and not given.acknowledged:
        broken.append(f"{who} was refused as {given.refused[0]} and is in the ledger")
    if (row.participant_id, row.question_id) != (given.participant_id, given.question_id):
        broken.append(f"{who} is in the ledger as somebody else's")
    if row.answer != given.answer or type(row.answer) is not type(given.answer) or row.score != given.score:
        broken.append(f"{who} is in the ledger as {row.answer} for {row.score} points")
    for known in given.acknowledged:
        if (known.participant_answer_id, known.score) != (row.id, row.score):
            broken.append(f"{who} was acknowledged as {known.participant_answer_id} for {known.score} points")
            break
    return broken


def judge_rivals(given: Sequence[Given]) -> list[str]:
    """Of several answers to one question only one was ever acknowledged; others were refused for what they are."""
    broken: list[str] = []
    acknowledged: dict[tuple[str, str], str] = {}
    for one in given:
        question = one.participant_id, one.question_id
        if one.acknowledged and acknowledged.setdefault(question, one.answer_id) != one.answer_id:
            broken.append(f"the answers {acknowledged[question]} and {one.answer_id} to one question both count")
        if one.refused and not one.is_rival and one.refused[0] not in EXPECTED_REFUSALS:
            broken.append(f"the answer {one.answer_id} was refused as {one.refused[0]}")
    return broken


# What may be said to a first answer: its rival was quicker, or the session is over.
EXPECTED_REFUSALS = frozenset({NOT_COUNTED_TWICE, "session_finished"})


def judge_board(where: str, participants: int, rows: Sequence[Row], standings: Sequence[Row]) -> list[str]:
    """A whole board beside the ledger's standings: the same rows in the same order, ties included."""
    if participants != len(standings):
        return [f"{where} counts {participants} participants, the ledger {len(standings)}"]
    for place, (row, expected) in enumerate(zip(rows, standings, strict=False)):
        if row != expected:
            return [f"{where} has at place {place + 1} {shown(row)}, the ledger {shown(expected)}"]
    return [f"{where} has {len(rows)} rows, the ledger {len(standings)}"] if len(rows) != len(standings) else []


def judge_screens(screens: Mapping[str, BoardMessage | None], board: BoardMessage) -> list[str]:
    """What each client was shown last beside the top of the board."""
    broken: list[str] = []
    for who, last in screens.items():
        if last is None:
            broken.append(f"{who} was never shown a board")
        elif (last.epoch, last.version) != (board.epoch, board.version):
            broken.append(
                f"{who} was shown version {last.version} of {last.epoch}, the board is {board.version} of {board.epoch}"
            )
        elif (last.participants, last.rows) != (board.participants, board.rows[:TOP_ROWS]):
            broken.append(f"{who} was shown other rows than the board of that version has")
    return broken


def shown(row: Row) -> str:
    return f"{row.rank}. {row.name} ({row.score})"
