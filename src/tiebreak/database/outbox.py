"""The outbox: events wait here from their answer's commit until the bus has acknowledged them.

Every shard has one owner at a time, by a lease, so the events of one session are published by one worker and
in order. An owner that has lost its lease without noticing (it was stopped, the clock jumped) can at worst
publish again what its successor publishes too; it removes nothing, because the successor raised the version
(the seed's optimistic lock, used as a fence).
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from tiebreak.database.pool import Pool
from tiebreak.database.queries import sql
from tiebreak.quiz.model import QuizSessionId


class WaitingEvent(msgspec.Struct, frozen=True):
    """A row of the outbox. `payload` is JSON as it will stand in the event."""

    id: UUID
    event_name: str
    type: str
    payload: str
    quiz_session_id: QuizSessionId
    version: int


class Outbox:
    """The outbox as seen by one publisher worker."""

    def __init__(self, pool: Pool, owner: UUID, *, lease_seconds: float) -> None:
        self._pool = pool
        self._owner = owner
        self._lease_seconds = lease_seconds
        self.shards: frozenset[int] = frozenset()

    async def lease(self) -> frozenset[int]:
        """Renew our leases and take what is free; the shards that were not ours before.

        Their events' version is raised in the same transaction, so an earlier owner's removal fails from then on.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(sql("lease_shards"), self._owner, self._lease_seconds)
            leased = frozenset(row["shard"] for row in rows)
            new = leased - self.shards | {row["shard"] for row in rows if row["taken_over"]}
            if new:
                await connection.execute(sql("fence_shards"), sorted(new))
        self.shards = leased
        return frozenset(new)

    async def release(self) -> None:
        """Let others have our shards at once."""
        self.shards = frozenset()
        await self._pool.execute(sql("release_shards"), self._owner)

    async def waiting(self, limit: int) -> list[WaitingEvent]:
        """The oldest events of our shards."""
        return [
            WaitingEvent(**row) for row in await self._pool.fetch(sql("waiting_events"), sorted(self.shards), limit)
        ]

    async def remove(self, published: Sequence[WaitingEvent]) -> int:
        """Forget events that the bus has acknowledged; how many were still ours to remove."""
        status = await self._pool.execute(
            sql("remove_published"), [event.id for event in published], [event.version for event in published]
        )
        return int(status.rpartition(" ")[2])


async def outbox_depth(pool: Pool) -> int:
    """How many events wait."""
    return await pool.fetchval(sql("outbox_depth"))
