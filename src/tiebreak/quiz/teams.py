"""What a team has reached: the sum of its players' points, or their average, so that small teams may win."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tiebreak.quiz.options import Options


class TeamRow(msgspec.Struct, frozen=True):
    """A team on the team board."""

    team: str
    score: int
    players: int


def team_rows(options: Options, totals: Mapping[int, tuple[int, int]]) -> list[TeamRow]:
    """All teams, those with more points first, equal ones in the host's order.

    `totals`, by index: points and players, those who have not answered among them. An average is rounded half up.
    """
    rows: list[TeamRow] = []
    for index, team in enumerate(options.teams):
        points, players = totals.get(index, (0, 0))
        average = (2 * points + players) // (2 * players) if players else 0
        rows.append(TeamRow(team, points if options.team_score == "sum" else average, players))
    return sorted(rows, key=lambda row: -row.score)
