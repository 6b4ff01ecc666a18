"""The outbox: events wait here from their answer's commit until the bus has acknowledged them.

Every shard has one owner at a time, by a lease, so the events of one session are published by one worker and
in order. Live workers hold equal shares. An owner that lost its lease without noticing (it was stopped, or the
clock jumped) can at worst publish again what its successor publishes too; it removes nothing, because the lease
has a new version (the seed's optimistic lock, as a fencing number).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

import asyncpg
import msgspec

from tiebreak.database.pool import Pool
from tiebreak.database.queries import sql
from tiebreak.events import SHARDS
from tiebreak.quiz.model import QuizSessionId

NUDGE_CHANNEL = "outbox"


class WaitingEvent(msgspec.Struct, frozen=True):
    """A row of the outbox. `payload` is JSON as it will stand in the event."""

    id: UUID
    event_name: str
    type: str
    payload: str
    quiz_session_id: QuizSessionId
    shard: int


class Shares(msgspec.Struct, frozen=True):
    """What a worker does about its leases."""

    keep: list[int]
    take: list[int]
    give: list[int]


def share_out(ours: Sequence[int], free: Sequence[int], live_workers: int, shards: int = SHARDS) -> Shares:
    """A fair share is the number of shards over that of workers, rounded up: keep that much, take up to it."""
    share = -(-shards // max(1, live_workers))
    keep = list(ours[:share])
    return Shares(keep, list(free[: share - len(keep)]), list(ours[share:]))


class Outbox:
    """The outbox as seen by one publisher worker."""

    def __init__(self, pool: Pool, owner: UUID, *, lease_seconds: float) -> None:
        self._pool = pool
        self._owner = owner
        self._lease_seconds = lease_seconds
        # Our shards, and the versions of our leases on them.
        self.leases: dict[int, int] = {}
        self._turn = 0

    async def lease(self) -> list[int]:
        """Renew our leases, give away what is more than our share, take what is free up to it; the shards taken.

        To be called while nothing read from the outbox is still in hand.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(sql("lock_leases"))
            await connection.execute(sql("worker_alive"), self._owner, self._lease_seconds)
            live_workers = await connection.fetchval(sql("live_workers"))
            rows = await connection.fetch(sql("leases"), self._owner)
            shares = share_out(
                [row["shard"] for row in rows if row["ours"]],
                [row["shard"] for row in rows if row["free"] and not row["ours"]],
                live_workers,
            )
            await connection.execute(sql("release_shards"), self._owner, shares.give)
            leased = await connection.fetch(
                sql("lease_shards"), self._owner, self._lease_seconds, [*shares.keep, *shares.take]
            )
        self.leases = {row["shard"]: row["version"] for row in leased}
        return shares.take

    async def leave(self) -> None:
        """Let others have our shards at once."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(sql("lock_leases"))
            await connection.execute(sql("release_shards"), self._owner, list(range(SHARDS)))
            await connection.execute(sql("worker_gone"), self._owner)
        self.leases = {}

    async def waiting(self, limit: int) -> list[WaitingEvent]:
        """The oldest events of our shards, in order within each. Shards take turns at being first."""
        shards = sorted(self.leases)
        first = self._turn % max(1, len(shards))
        self._turn += 1
        rows = await self._pool.fetch(sql("waiting_events"), [*shards[first:], *shards[:first]], limit)
        return [WaitingEvent(**row) for row in rows]

    async def remove(self, published: Sequence[WaitingEvent]) -> int:
        """Forget events that the bus has acknowledged; how many were still ours to remove."""
        status = await self._pool.execute(
            sql("remove_published"),
            [event.id for event in published],
            [event.shard for event in published],
            [self.leases.get(event.shard, -1) for event in published],
        )
        return int(status.rpartition(" ")[2])


async def nudge_publishers(pool: Pool) -> None:
    """Tell idle publisher workers that there is something. Never within an answer's transaction: a commit that
    notifies takes a lock that all such commits share."""
    await pool.execute(sql("nudge_publishers"))


class Nudges:
    """Hears nudges, on a connection of its own. Without it workers poll: a nudge only makes it sooner."""

    def __init__(self, url: str, on_nudge: Callable[[], None]) -> None:
        self._url = url
        self._on_nudge = on_nudge
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def listen(self) -> None:
        """Make sure that we hear them; opens the connection anew if it was lost. Idempotent."""
        if self._connection is not None and not self._connection.is_closed():
            return
        self._connection = await asyncpg.connect(self._url, timeout=5)
        await self._connection.add_listener(NUDGE_CHANNEL, self._heard)

    def _heard(self, *_: object) -> None:
        self._on_nudge()

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()


async def outbox_depth(pool: Pool) -> int:
    """How many events wait for a publisher worker; those that are held do not."""
    return await pool.fetchval(sql("outbox_depth"))
