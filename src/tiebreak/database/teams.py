"""The teams of a live session, as the ledger has their points."""

from __future__ import annotations

from tiebreak.database.pool import Pool
from tiebreak.database.queries import sql
from tiebreak.quiz.model import QuizSessionId
from tiebreak.quiz.options import Options
from tiebreak.quiz.teams import TeamRow, team_rows


async def team_board(pool: Pool, quiz_session_id: QuizSessionId, options: Options) -> list[TeamRow]:
    """All teams, those with more points first; empty if the session has none.

    Of questions that are shut, and of participants who were not removed.
    """
    if not options.teams:
        return []
    rows = await pool.fetch(sql("team_totals"), quiz_session_id)
    return team_rows(options, {row["team"]: (row["score"], row["players"]) for row in rows})
