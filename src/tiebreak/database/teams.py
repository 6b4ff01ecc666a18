"""The teams of a live session, as the ledger has their points."""

from __future__ import annotations

from typing import cast

import msgspec

from tiebreak.database.pool import Pool
from tiebreak.database.queries import sql
from tiebreak.quiz.model import QuizSessionId
from tiebreak.quiz.teams import TeamOptions, TeamRow, team_rows


async def team_board(pool: Pool, quiz_session_id: QuizSessionId) -> list[TeamRow]:
    """All teams, those with more points first; empty if the session has none.

    Of questions that are shut, and of participants who were not removed.
    """
    options = cast(str | None, await pool.fetchval(sql("live_options"), quiz_session_id))
    if options is None or not (teams := msgspec.json.decode(options, type=TeamOptions)).teams:
        return []
    rows = await pool.fetch(sql("team_totals"), quiz_session_id)
    return team_rows(teams, {row["team"]: (row["score"], row["players"]) for row in rows})
