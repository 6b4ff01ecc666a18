"""FLUSHALL in the middle of fifty sessions: every board comes back as the ledger has it, and everybody is shown it."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from time import monotonic
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from tests.client import Caller, Quizmaster, Screen, connected, quizmaster
from tests.scene import Scene, opened_pool
from tests.system import System, running_system
from tiebreak.database.answers import NewAnswer, record_answers, standings
from tiebreak.database.pool import Pool
from tiebreak.ids import new_id
from tiebreak.quiz.model import AnswerId, QuizSessionId, UserId
from tiebreak.quiz.ranking import opened_at_ms

SESSIONS, PLAYERS = 50, 200
# Of all but one of them before; the one who plays while Redis is emptied gives the others.
GIVEN = 2
QUESTIONS = 20
PACE_SECONDS = 0.4
BATCH = 500
RIGHT_WITHIN_SECONDS = 10.0

CROWD = """
WITH them AS (
    INSERT INTO users (id, kind, name) SELECT id, 'guest', 'Player' FROM unnest($1::uuid[]) AS id RETURNING id
)
INSERT INTO quiz_session_participants (id, quiz_session_id, user_id, name, joined_at)
SELECT gen_random_uuid(), $2, id, 'Player ' || id, now() FROM them
"""


class Game:
    """A session, the one who plays now, and its screen."""

    def __init__(self, scene: Scene, player: Caller, screen: Screen) -> None:
        self.id = str(scene.session_id)
        self.questions = [str(question) for question in scene.question_ids]
        self.player = player
        self.screen = screen
        self.epoch = ""

    async def play(self, until: asyncio.Event) -> None:
        for question in self.questions[GIVEN:]:
            response = await self.player.answer(self.id, question, True, str(uuid4()))
            assert response.status_code == 200, response.text
            await asyncio.sleep(PACE_SECONDS)
            if until.is_set():
                return

    def last_board(self) -> dict:
        return self.screen.of("leaderboard_updating")[-1]


@pytest.mark.timeout(300)
async def test_boards_of_an_emptied_redis():
    """Points, order and ties of 10,000 participants, within ten seconds, while answers go on; rooms hear of it."""
    with running_system() as system:
        async with (
            opened_pool(system.database_url, size=8) as pool,
            quizmaster(system.base_url) as master,
            AsyncExitStack() as screens,
        ):
            games = [await game(pool, master, system, screens) for _ in range(SESSIONS)]
            over = asyncio.Event()
            playing = asyncio.gather(*(it.play(over) for it in games))
            await before(pool, games)
            async with Redis.from_url(system.redis_url) as redis:
                await redis.flushall()
            emptied_at = monotonic()
            await asyncio.sleep(2)
            over.set()
            await playing
            async with asyncio.timeout(RIGHT_WITHIN_SECONDS - (monotonic() - emptied_at)):
                for it in games:
                    await comes_back(pool, it)


async def game(pool: Pool, master: Quizmaster, system: System, screens: AsyncExitStack) -> Game:
    """A session of PLAYERS: all but one by SQL, with answers that went the way of all answers from there on."""
    scene = await Scene.set(pool, [10] * QUESTIONS)
    users = [UserId(new_id()) for _ in range(PLAYERS - 1)]
    await pool.execute(CROWD, users, scene.session_id)
    answers = [new_answer(scene, user, number, at) for number, user in enumerate(users) for at in range(GIVEN)]
    for start in range(0, len(answers), BATCH):
        await record_answers(pool, answers[start : start + BATCH])
    player = await master.guest("Ann")
    assert (await player.join(str(scene.session_id))).status_code == 200
    screen = await screens.enter_async_context(
        connected(system.base_url, player.tokens["access_token"], transports=["websocket"], reconnection=True)
    )
    assert (await screen.client.call("enter_session", {"quiz_session_id": str(scene.session_id)}, timeout=30))["ok"]
    return Game(scene, player, screen)


def new_answer(scene: Scene, user: UserId, number: int, question: int) -> NewAnswer:
    """Of three players one is wrong; players come in pairs that are level."""
    correct = (number + question) % 3 > 0
    return NewAnswer(
        AnswerId(new_id()),
        scene.session_id,
        user,
        scene.question_ids[question],
        correct,
        None,
        correct,
        10 if correct else 0,
        opened_at_ms(scene.session_id) + 1_000 + number // 6,
    )


async def before(pool: Pool, games: Sequence[Game]) -> None:
    """Wait until every room was told of its whole crowd; note its epoch."""
    async with asyncio.timeout(120):
        for it in games:
            while not it.screen.of("leaderboard_updating") or it.last_board()["participants"] < PLAYERS:
                await asyncio.sleep(0.05)
            it.epoch = it.last_board()["epoch"]


async def comes_back(pool: Pool, it: Game) -> None:
    """The whole board is the ledger, under another epoch, and the screen shows its top."""
    while True:
        expected = await shown(pool, it)
        board = await it.player.leaderboard(it.id, limit=PLAYERS)
        last = it.last_board()
        if board["rows"] == expected and (last["epoch"], last["rows"]) == (board["epoch"], expected[:10]):
            break
        await asyncio.sleep(0.05)
    assert board["participants"] == PLAYERS
    assert board["epoch"] != it.epoch
    ranks = [row["rank"] for row in expected]
    assert len(set(ranks)) < len(ranks)


async def shown(pool: Pool, it: Game) -> list[dict]:
    """The ledger's rows as a board shows them."""
    return [
        {
            "rank": row.rank,
            "quiz_session_participant_id": str(row.quiz_session_participant_id),
            "name": row.name,
            "score": row.score,
        }
        for row in await standings(pool, QuizSessionId(UUID(it.id)))
    ]
