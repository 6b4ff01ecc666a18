"""A live session's lobby in the database, and who comes to its door."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.live_scene import LiveScene
from tests.scene import Scene, new_user
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import Join, Participant, join_sessions
from tiebreak.errors import Refusal
from tiebreak.ids import new_id
from tiebreak.quiz.model import ParticipantId, QuizSessionId, UserId
from tiebreak.quiz.options import Options


async def set_game(pool: Pool, session_id: object, **state: object) -> None:
    """Change what the game's state says."""
    await pool.execute(
        "UPDATE live_games SET state = state || $2::jsonb, step = step + 1 WHERE quiz_session_id = $1",
        session_id,
        json.dumps(state),
    )


@dataclass
class Lobby:
    """A live session and its host."""

    pool: Pool
    scene: Scene

    @classmethod
    async def set(cls, pool: Pool, **options: Any) -> Lobby:
        return cls(pool, await LiveScene.set(pool, options=Options(**options)))

    @property
    def session_id(self) -> QuizSessionId:
        return self.scene.session_id

    async def joining(
        self, name: str | None = None, user_id: UserId | None = None, team: int | str | None = None
    ) -> Join:
        """A join that has not been carried out."""
        user_id = user_id or await new_user(self.pool, name or "Somebody")
        return Join(ParticipantId(new_id()), self.session_id, user_id, name, team)

    async def join(
        self, name: str | None = None, user_id: UserId | None = None, team: int | str | None = None
    ) -> Participant | Refusal:
        """Alone in its batch."""
        [outcome] = await join_sessions(self.pool, [await self.joining(name, user_id, team)])
        return outcome

    async def player(self, name: str, team: int | str | None = None) -> tuple[UserId, Participant]:
        """A new guest who has joined."""
        user_id = await new_user(self.pool, name)
        participant = await self.join(name, user_id, team)
        assert isinstance(participant, Participant), participant
        return user_id, participant

    async def names(self) -> list[str]:
        """Of those who are in it, by name."""
        rows = await self.pool.fetch(
            "SELECT name FROM quiz_session_participants WHERE quiz_session_id = $1 AND removed_at IS NULL "
            "ORDER BY name",
            self.session_id,
        )
        return [row["name"] for row in rows]
