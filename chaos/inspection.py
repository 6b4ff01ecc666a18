"""What the system holds, past its proxies: the ledger, the outbox, logs; and the boards as anybody reads them."""

from __future__ import annotations

import asyncio
from uuid import UUID

import msgspec

from chaos.boards import BoardMessage
from chaos.client import Again, ChaosFailed, Origins, Refused
from chaos.process import Process
from chaos.sessions import Session
from chaos.stage import Stage
from chaos.verdict import LedgerRow
from tests.scene import opened_pool
from tiebreak.database.answers import standings
from tiebreak.load_test.content import Submission
from tiebreak.load_test.replies import Row
from tiebreak.quiz.model import QuizSessionId

LEDGER = """
SELECT a.id, a.quiz_session_participant_id, a.question_id, a.answer_id, a.answer, a.score
FROM participant_answers a JOIN quiz_session_participants p ON p.id = a.quiz_session_participant_id
WHERE p.quiz_session_id = $1
"""
PAGE_ROWS = 1_000
DEAD = "projection.events_dead"


class Inspection:
    """Looks at a stage whose faults are over."""

    def __init__(self, stage: Stage, origins: Origins) -> None:
        self._stage = stage
        self._origins = origins
        # Read up to here: what stands before is another round's.
        self._log_sizes = {name: size_of(process) for name, process in stage.processes.items()}

    async def ledger(self, session: Session) -> list[LedgerRow]:
        async with self._stage.database.connection() as connection:
            rows = await connection.fetch(LEDGER, UUID(session.id))
        return [
            LedgerRow(*map(str, row[:4]), msgspec.json.decode(row[4], type=Submission), row[5])  # type: ignore[arg-type]
            for row in rows
        ]

    async def standings(self, session: Session) -> list[Row]:
        async with opened_pool(self._stage.database.url, size=1) as pool:
            rows = await standings(pool, QuizSessionId(UUID(session.id)))
        return [Row(row.rank, str(row.quiz_session_participant_id), row.name, row.score) for row in rows]

    async def board(self, session: Session, server: int) -> BoardMessage:
        """The whole board as an app server shows it to the host. Raises ChaosFailed if it does not."""
        path = f"/quiz-session/{session.id}/leaderboard?limit={PAGE_ROWS}"
        asked = session.watch.asking()
        said = await self._origins.attempt("GET", path, token=session.host_token, server=server)
        if isinstance(said, Again | Refused):
            raise ChaosFailed(f"the board cannot be read: {said}")
        board = msgspec.json.decode(said.body, type=BoardMessage)
        # Beside those that clients are shown: the same version has the same first rows.
        session.watch.saw_snapshot(asked, msgspec.structs.replace(board, rows=board.rows[:10]))
        return board

    async def outbox_is_empty(self, *, seconds: float) -> None:
        """Wait for it. Raises TimeoutError."""
        async with self._stage.database.connection() as connection, asyncio.timeout(seconds):
            while await connection.fetchval("SELECT count(*) FROM events"):
                await asyncio.sleep(0.05)

    def dead_events(self) -> list[str]:
        """Events that a worker gave up since we began to look."""
        return [
            f"{name} gave up events: {line}"
            for name, process in self._stage.processes.items()
            for line in process.log.read_bytes()[self._log_sizes[name] :].decode(errors="replace").splitlines()
            if DEAD in line
        ]


def size_of(process: Process) -> int:
    return process.log.stat().st_size if process.log.exists() else 0
