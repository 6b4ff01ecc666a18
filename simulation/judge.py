"""What must hold at every moment, and what must hold once all is quiet."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import msgspec

from simulation.cache import CacheServer
from simulation.screens import Screen
from simulation.scripts import standings, state
from simulation.tables import Tables
from tiebreak.app_server.commands import Outcome
from tiebreak.cache.keys import board_keys
from tiebreak.cache.leaderboard import TOP_ROWS
from tiebreak.errors import Refusal
from tiebreak.quiz.model import ParticipantId, QuizSessionId, UserId
from tiebreak.quiz.ranking import MS_SPAN, Leaderboard, Row
from tiebreak.quiz.receipts import parse_receipt
from tiebreak.socket_adapter.messages import UpdateScore

# A refusal that says: it did not count, and never will.
FINAL = (Refusal.QUESTION_ALREADY_ANSWERED, Refusal.SESSION_FINISHED)


class Judge:
    """Sees everything, and touches nothing."""

    def __init__(self, tables: Tables, on_violation: Callable[[str], None]) -> None:
        self._tables = tables
        self._violated = on_violation
        self._told: list[tuple[UserId, UpdateScore, Outcome | Refusal]] = []
        # By screen and epoch.
        self._versions: dict[tuple[str, str], int] = {}
        # By session, epoch and version.
        self._contents: dict[tuple[UUID, str, int], tuple[Row, ...]] = {}
        # By cache server and board: the points of each participant that somebody has read.
        self._points: dict[tuple[int, str], dict[bytes, int]] = defaultdict(dict)
        self._numbers: dict[int, int] = {}

    def told(self, user_id: UserId, command: UpdateScore, outcome: Outcome | Refusal) -> None:
        """A player has heard what became of an answer."""
        self._told.append((user_id, command, outcome))

    def shown(self, screen: Screen, board: Leaderboard) -> None:
        """Versions never go back within an epoch, and one version has one content."""
        key = screen.name, board.epoch
        if board.version < self._versions.get(key, 0):
            self._violated(f"{screen.name} went back from version {self._versions[key]} to {board.version}")
        self._versions[key] = board.version
        content = self._contents.setdefault((board.quiz_session_id, board.epoch, board.version), board.rows)
        if content != board.rows:
            self._violated(f"version {board.version} of epoch {board.epoch} was shown with different rows")

    def read(self, server: CacheServer, board_key: str, reply: list[Any]) -> None:
        """Nobody is shown a board on which an answer is missing that once was shown."""
        if reply[0] is None:
            return
        points = self._points[self._number(server), board_key]
        if reply[2] < len(points):
            self._violated(f"a board with {reply[2]} participants was read; there had been {len(points)}")
        cells = reply[5]
        for participant, standing in zip(cells[::3], cells[1::3], strict=True):
            total = int(standing) // MS_SPAN
            if total < points.get(participant, 0):
                self._violated(f"{participant.decode()} was shown with {total} points after {points[participant]}")
            points[participant] = total

    def succeeds(self, server: CacheServer, former: CacheServer) -> None:
        """What was read from the one before, must be on this one's boards too."""
        for (number, board_key), points in list(self._points.items()):
            if number == self._number(former):
                self._points[self._number(server), board_key] = dict(points)

    def _number(self, server: CacheServer) -> int:
        return self._numbers.setdefault(id(server), len(self._numbers))

    def unsettled(self, cache: CacheServer, screens: Iterable[Screen]) -> str | None:
        """What is not yet as it must be when nothing goes wrong any more."""
        if waiting := sum(map(len, self._tables.events.values())):
            return f"{waiting} events wait in the outbox"
        for session_id in self._tables.sessions:
            if problem := self._board_differs(cache, QuizSessionId(session_id)):
                return problem
        for screen in screens:
            rows = screen.board.rows if screen.board else None
            expected = expected_rows(self._tables, screen.quiz_session_id)[:TOP_ROWS]
            if not screen.is_settled or rows != expected:
                return f"{screen.name} shows {rows}, not {expected}"
        return None

    def _board_differs(self, cache: CacheServer, session_id: QuizSessionId) -> str | None:
        keys = board_keys(session_id)
        if (found := state(cache.data, keys)) != "whole":
            return None if self._may_wait(session_id, found) else f"the board of {session_id} is {found}"
        _, cells, names = standings(cache.data, keys, ())
        name_of = dict(zip(names[::2], names[1::2], strict=True))
        board = {
            it: (name_of[it].decode(), int(standing)) for it, standing in zip(cells[::2], cells[1::2], strict=True)
        }
        ledger = {
            str(it["id"]).encode(): (it["name"], it["score"] * MS_SPAN + MS_SPAN - 1 - it["reached_ms"])
            for it in self._tables.standings(session_id)
        }
        if board != ledger:
            return f"the board of {session_id} differs from the ledger: {board} {ledger}"
        return None

    def _may_wait(self, session_id: QuizSessionId, found: str) -> bool:
        """Whether it is built only when somebody reads it: after its session's end, if nobody asks for it before."""
        is_finished = self._tables.sessions[session_id]["state"] == "finished"
        return is_finished and (found == "none" or not self._tables.ledger(session_id))

    def check_answers(self) -> None:
        """Every acknowledged answer is in the ledger once, as it was acknowledged; none that was refused is."""
        rows = self._tables.rows
        for key, count in Counter((it["participant_id"], it["question_id"]) for it in rows).items():
            if count > 1:
                self._violated(f"the ledger has {count} answers of participant and question {key}")
        by_id = {it["id"]: it for it in rows}
        by_answer_id = {it["answer_id"]: it for it in rows if it["answer_id"] is not None}
        for user_id, command, outcome in self._told:
            if isinstance(outcome, Outcome):
                row = by_id.get(outcome.participant_answer_id)
                participant = self._tables.participants[command.quiz_session_id, user_id][0]
                if row is None or (row["participant_id"], row["question_id"], row["score"], row["answer_id"]) != (
                    participant,
                    command.question_id,
                    outcome.score,
                    command.answer_id,
                ):
                    self._violated(f"acknowledged: {command} with {outcome}; in the ledger: {row}")
                else:
                    self._check_receipt(outcome, row)
            elif outcome in FINAL and command.answer_id in by_answer_id:
                self._violated(f"refused as {outcome.code}, and in the ledger all the same: {command}")
        self._check_logs()

    def _check_receipt(self, outcome: Outcome, row: dict[str, Any]) -> None:
        """It names the answer's place in the log; however often it was asked for, it is the same."""
        position, digest = self._tables.logs[row["session_id"]].place_of(row["id"])
        receipt = parse_receipt(outcome.receipt) if outcome.receipt else None
        if receipt is None or msgspec.structs.astuple(receipt) != (
            row["id"],
            row["session_id"],
            row["answered_at_ms"],
            position,
            digest,
        ):
            self._violated(f"answer {row['id']} has place {position} in the log, and was given {receipt}")

    def _check_logs(self) -> None:
        """A session's log has every answer of its ledger once, without gaps."""
        for session_id in self._tables.sessions:
            log = self._tables.logs.get(session_id)
            logged = [id_ for link in log.links for id_ in link.ids] if log else []
            if sorted(logged) != sorted(it["id"] for it in self._tables.rows if it["session_id"] == session_id):
                self._violated(f"log and ledger of session {session_id} do not have the same answers")
            if log and log.links[-1].position != len(logged):
                self._violated(f"the log of session {session_id} ends at {log.links[-1].position}, with {len(logged)}")


def expected_rows(tables: Tables, session_id: QuizSessionId) -> tuple[Row, ...]:
    """The whole leaderboard as the ledger has it; equal standings are ordered as Redis does, by id."""
    rows = sorted(tables.standings(session_id), key=lambda it: (it["rank"], -it["id"].int))
    return tuple(Row(it["rank"], ParticipantId(it["id"]), it["name"], it["score"]) for it in rows)
