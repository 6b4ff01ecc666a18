"""A quiz session, its ledger and its board."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.integration.cache.boards import open_board, rebuilder
from tests.scene import Scene
from tiebreak.boards.rebuild import Rebuilder
from tiebreak.cache.leaderboard import Applied, Leaderboards
from tiebreak.database.answers import ledger, standings
from tiebreak.database.pool import Pool
from tiebreak.events import ScoreChange
from tiebreak.redis_client import Redis
from tiebreak.socket_adapter.redis_streams.stream_names import STREAM

PLAYERS = ("Ann", "Bob", "Cat")


@dataclass
class Stage:
    """Three players; what they answer is in the ledger, and not yet on the board."""

    pool: Pool
    redis: Redis
    scene: Scene
    users: list
    leaderboards: Leaderboards
    rebuilder: Rebuilder

    @classmethod
    async def set(cls, pool: Pool, redis: Redis) -> Stage:
        scene = await Scene.set(pool)
        users = [(await scene.player(name))[0] for name in PLAYERS]
        leaderboards = Leaderboards(redis)
        await open_board(leaderboards, scene.session_id)
        return cls(pool, redis, scene, users, leaderboards, rebuilder(pool, redis))

    async def answer(self, question: int) -> list[ScoreChange]:
        """Everybody answers it, Bob wrongly; the events that go over the bus."""
        before = {it.participant_answer_id for it in await ledger(self.pool, self.scene.session_id)}
        for at, user in enumerate(self.users):
            await self.scene.answer(user, question, correct=at != 1, after_ms=1_000 + question)
        return [it for it in await ledger(self.pool, self.scene.session_id) if it.participant_answer_id not in before]

    async def apply(self, changes: list[ScoreChange]) -> Applied:
        """As the cache worker does."""
        applied = (await self.leaderboards.apply({self.scene.session_id: changes}))[self.scene.session_id]
        assert isinstance(applied, Applied)
        return applied

    async def make_whole(self, **how: bool) -> bool:
        return await self.rebuilder.make_whole(self.scene.session_id, **how)

    async def shown(self):
        """The board, if there is one to show."""
        return await self.leaderboards.read(self.scene.session_id, limit=100)

    async def board_is_ledger(self) -> bool:
        board = await self.shown()
        return board is not None and list(board.rows) == await standings(self.pool, self.scene.session_id)

    async def told(self) -> list[dict]:
        """The boards that the room was sent."""
        packets = [json.loads(fields[b"data"])["packet"]["data"] for _, fields in await self.redis.xrange(STREAM)]
        return [board for name, board in packets if name == "leaderboard_updating"]
