"""Live answers whose events are held, so that no board moves and nobody learns what was right while a question is open.

An event is written with its answer, on shard HELD, which no publisher worker reads. Whoever shuts the question releases
them in the same transaction: question and events are shut and released together or not at all. An answer that came in
time may be committed later than that; `release_stragglers`, again and again, finds its event.

The events of participants who were removed stay held: they are on no board (`ledger`). Who comes back, with the board
built anew, has them released too. Publisher workers find what was released at their next poll, within 0.1 s; sooner if
they are nudged after the commit.
"""

from __future__ import annotations

from tiebreak.database.pool import Connection, Pool
from tiebreak.database.queries import sql
from tiebreak.events import shard_of
from tiebreak.quiz.model import QuizSessionId


async def release_answers(connection: Connection | Pool, quiz_session_id: QuizSessionId) -> int:
    """Let the bus have what is held of the session's questions that are shut; how many events. May be repeated."""
    status = await connection.execute(sql("release_answers"), quiz_session_id, shard_of(quiz_session_id))
    return int(status.rpartition(" ")[2])


async def release_stragglers(pool: Pool) -> int:
    """The same for all sessions. Any number of processes may do so at once: each event is released once."""
    rows = await pool.fetch(sql("stragglers"))
    return sum([await release_answers(pool, QuizSessionId(row["quiz_session_id"])) for row in rows])
