"""Boards that somebody has to build from the ledger: asked for by whoever finds one missing, built by the app servers.

A request outlives whoever asked and whoever took it up; only Redis itself can lose it, together with the boards.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from tiebreak.cache.keys import WANTED
from tiebreak.cache.leaderboard import lua
from tiebreak.quiz.model import QuizSessionId
from tiebreak.redis_client import Redis, Script

# Longer than a rebuild takes: who is not done by then is taken for dead.
CLAIM_MS = 10_000


class Claim(msgspec.Struct, frozen=True):
    """A board that is ours to build, until `token`."""

    quiz_session_id: QuizSessionId
    token: str


class WantedBoards:
    """The queue of boards to build. Building one twice does no harm."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._script = Script(lua("wanted.lua"))

    async def add(self, quiz_session_ids: Sequence[QuizSessionId]) -> None:
        """Ask for these boards, in that order. Idempotent."""
        if quiz_session_ids:
            await self._script.call(self._redis, [WANTED], ["add", *map(str, quiz_session_ids)])

    async def take(self, count: int) -> list[Claim]:
        """Up to so many, those waiting longest first; nobody else is given them for CLAIM_MS."""
        found = [it.decode() for it in await self._script.call(self._redis, [WANTED], ["take", count, CLAIM_MS])]
        return [Claim(QuizSessionId(UUID(it)), token) for it, token in zip(found[::2], found[1::2], strict=True)]

    async def done(self, claim: Claim) -> None:
        """It is built; asked for again meanwhile, it stays wanted."""
        await self._script.call(self._redis, [WANTED], ["done", str(claim.quiz_session_id), claim.token])
