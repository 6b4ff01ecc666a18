"""Teams' points, as the ledger has them."""

import pytest

from tests.live_scene import LiveScene
from tests.scene import new_user, opened_pool
from tiebreak.database.participants import remove_participant
from tiebreak.database.quiz_sessions import Join, join_sessions
from tiebreak.database.teams import team_board
from tiebreak.ids import new_id
from tiebreak.quiz.model import ParticipantId
from tiebreak.quiz.options import Options
from tiebreak.quiz.teams import TeamRow, team_rows


@pytest.mark.parametrize(
    ("team_score", "expected"), [("sum", [("Red", 200), ("Blue", 100)]), ("average", [("Blue", 100), ("Red", 67)])]
)
async def test_points_of_teams(database_url, team_score, expected):
    """Sum or average, of who has not answered too; not of questions still open, nor of who was removed."""
    options = Options(teams=["Red", "Blue", "Green"], team_score=team_score)
    async with opened_pool(database_url) as pool:
        scene = await LiveScene.set(pool, options=options)
        users = [await new_user(pool, name) for name in ("Ann", "Bob", "Cat", "Dan", "Eve")]
        teams = [0, 0, 0, 1, 1]
        joins = [
            Join(ParticipantId(new_id()), scene.session_id, user, None, team)
            for user, team in zip(users, teams, strict=True)
        ]
        participants = await join_sessions(pool, joins)
        await scene.ask(0)
        for user in (users[0], users[1], users[3], users[4]):
            await scene.give(user, 0, after_ms=2_000)
        assert {(row.team, row.score) for row in await team_board(pool, scene.session_id, options)} == {
            ("Red", 0), ("Blue", 0), ("Green", 0),
        }  # fmt: skip
        await scene.shut(0)
        await scene.ask(1, opens_ms=30_000)
        await scene.give(users[0], 1, after_ms=31_000, opens_ms=30_000)
        await remove_participant(pool, scene.session_id, participants[4].id, banned=False)
        rows = await team_board(pool, scene.session_id, options)
        assert [(row.team, row.score) for row in rows] == [*expected, ("Green", 0)]
        assert {row.team: row.players for row in rows} == {"Red": 3, "Blue": 1, "Green": 0}


async def test_no_teams_no_board(database_url):
    """Nobody is in a team then."""
    async with opened_pool(database_url) as pool:
        scene = await LiveScene.set(pool)
        await scene.player("Ann")
        assert await team_board(pool, scene.session_id, Options()) == []


def test_averages_are_rounded_half_up():
    """In integers."""
    options = Options(teams=["A", "B", "C"])
    rows = team_rows(options, {0: (3, 2), 1: (7, 3), 2: (0, 0)})
    assert rows == [TeamRow("A", 2, 2), TeamRow("B", 2, 3), TeamRow("C", 0, 0)]
