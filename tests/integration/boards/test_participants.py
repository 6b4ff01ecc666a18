"""The board follows who takes part: whoever is removed leaves it, whoever comes back is on it again, names change."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.cache.boards import open_board, rebuilder
from tests.live_scene import LiveScene
from tests.scene import opened_pool
from tiebreak.boards.reading import Boards
from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.database.participants import remove_participant, rename_participant
from tiebreak.database.quiz_sessions import Join, Participant, join_sessions
from tiebreak.ids import new_id
from tiebreak.quiz.model import ParticipantId
from tiebreak.redis_client import open_redis


class Hall:
    """A live session with two players who have answered a question that is shut."""

    def __init__(self, scene: LiveScene, boards: Boards) -> None:
        self.scene = scene
        self.boards = boards

    async def fill(self) -> None:
        self.ann, self.annes = await self.scene.player("Ann")
        _, self.bobs = bob, _ = await self.scene.player("Bob")
        await self.scene.ask(0)
        for user in (self.ann, bob):
            await self.scene.give(user, 0, after_ms=2_000)
        await self.scene.shut(0)
        await self.boards.renew(self.scene.session_id)

    async def seen(self) -> tuple[str, list[str]]:
        """The epoch, and the names in their order."""
        board = await self.boards.top(self.scene.session_id)
        return board.epoch, sorted(row.name for row in board.rows)


@pytest.fixture
async def hall(database_url: str, redis_url: str) -> AsyncIterator[Hall]:
    redis = await open_redis(redis_url)
    async with opened_pool(database_url) as pool:
        scene = await LiveScene.set(pool)
        leaderboards = Leaderboards(redis)
        await open_board(leaderboards, scene.session_id)
        hall = Hall(scene, Boards(pool, leaderboards, rebuilder(pool, redis)))
        await hall.fill()
        yield hall
    await redis.aclose()


async def test_who_is_removed_leaves_the_board(hall):
    """Under another epoch, so that every screen takes it for a new one."""
    before, names = await hall.seen()
    assert names == ["Ann", "Bob"]
    assert await remove_participant(hall.scene.pool, hall.scene.session_id, hall.annes.id, banned=False)
    await hall.boards.renew(hall.scene.session_id)
    after, names = await hall.seen()
    assert names == ["Bob"]
    assert after != before


async def test_the_last_one_leaves_an_empty_board(hall):
    """It is whole, and shown as what it is."""
    for participant in (hall.annes, hall.bobs):
        await remove_participant(hall.scene.pool, hall.scene.session_id, participant.id, banned=True)
    await hall.boards.renew(hall.scene.session_id)
    assert (await hall.seen())[1] == []


async def test_who_comes_back_has_the_points_from_before(hall):
    """As the same participant, under another name."""
    session = hall.scene.session_id
    await remove_participant(hall.scene.pool, session, hall.annes.id, banned=False)
    [back] = await join_sessions(hall.scene.pool, [Join(ParticipantId(new_id()), session, hall.ann, "Anne")])
    assert back == Participant(hall.annes.id, "Anne", None, is_back=True)
    await hall.boards.renew(session)
    board = await hall.boards.top(session)
    assert [(row.name, row.score) for row in board.rows if row.name == "Anne"] == [("Anne", 100)]


async def test_a_name_is_changed_on_the_board(hall):
    """Of whom it is the same participant."""
    session = hall.scene.session_id
    assert await rename_participant(hall.scene.pool, session, hall.bobs.id, name="Robert", name_key="robert")
    await hall.boards.renew(session)
    assert (await hall.seen())[1] == ["Ann", "Robert"]
