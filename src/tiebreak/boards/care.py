"""Keeps boards whole and right in the background of an app server; any number of them share the work.

Three loops: build what somebody found missing; ask Redis whether it is still the one we knew, and if not have all
boards looked after; and now and then compare every board with the ledger.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from tiebreak.boards.audit import SETTLE_SECONDS, Auditor
from tiebreak.boards.rebuild import Rebuilder
from tiebreak.cache.incarnation import Incarnations
from tiebreak.cache.turns import Turns
from tiebreak.cache.wanted_boards import Claim, WantedBoards
from tiebreak.clock import Clock
from tiebreak.database.pool import FAILURES, Pool
from tiebreak.database.quiz_sessions import sessions_with_boards
from tiebreak.errors import Fault
from tiebreak.metrics import BoardMetrics
from tiebreak.redis_client import OUTAGES, RedisError

log = structlog.get_logger()

BUILD_SECONDS = 0.2
AT_ONCE = 2
WATCH_SECONDS = 1.0
# After its opening. A session that nobody ended is looked at no more when nobody reads it.
LOOKED_AFTER_SECONDS = 7 * 24 * 3600
# After its end: everybody looks at the board then.
AUDITED_SECONDS = 3600
TURN_SECONDS = 5
# After another Redis was first seen.
YOUNG_SECONDS = 60
YOUNG_SETTLE_SECONDS = 3.0
RETRY_SECONDS = 1.0


class BoardCare:
    """The loops."""

    def __init__(
        self,
        pool: Pool,
        rebuilder: Rebuilder,
        auditor: Auditor,
        wanted: WantedBoards,
        incarnations: Incarnations,
        turns: Turns,
        clock: Clock,
        metrics: BoardMetrics,
        *,
        audit_seconds: int,
    ) -> None:
        """`audit_seconds`: from one audit to the next, over all app servers; 0: none."""
        self._pool = pool
        self._rebuilder = rebuilder
        self._auditor = auditor
        self._wanted = wanted
        self._incarnations = incarnations
        self._turns = turns
        self._clock = clock
        self._metrics = metrics
        self._audit_seconds = audit_seconds
        self._known = ""

    async def run(self) -> None:
        """Care for ever; while Redis or Postgres is away, try again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._again_and_again(self.build, BUILD_SECONDS))
            group.create_task(self._again_and_again(self.watch, WATCH_SECONDS))
            if self._audit_seconds:
                group.create_task(self._again_and_again(self.audit, TURN_SECONDS))

    async def _again_and_again(self, work: Callable[[], Awaitable[None]], pause_seconds: float) -> None:
        while True:
            pause = pause_seconds
            try:
                await work()
            except (*OUTAGES, *FAILURES, RedisError, Fault) as error:
                log.warning("boards.waiting", error=f"{type(error).__name__}: {error}", retry_seconds=RETRY_SECONDS)
                pause = max(pause, RETRY_SECONDS)
            await self._clock.sleep(pause)

    async def build(self) -> None:
        """Build what is wanted, AT_ONCE boards at a time, until nothing is."""
        while claims := await self._wanted.take(AT_ONCE):
            outcomes = await asyncio.gather(*map(self._build, claims), return_exceptions=True)
            if failure := next((it for it in outcomes if it is not None), None):
                raise failure

    async def _build(self, claim: Claim) -> None:
        await self._rebuilder.make_whole(claim.quiz_session_id)
        # Also if it was whole: who made it so may have died before it was shown.
        await self._rebuilder.show(claim.quiz_session_id)
        await self._wanted.done(claim)

    async def watch(self) -> None:
        """Have the boards of open sessions looked after once Redis is another one; the first one we see counts too.

        Those of finished sessions are built when somebody reads them.
        """
        incarnation = await self._incarnations.current()
        if incarnation.id == self._known:
            return
        sessions = await sessions_with_boards(self._pool, live_seconds=LOOKED_AFTER_SECONDS, kept_seconds=0)
        await self._wanted.add(sessions)
        await self._turns.end("audit")
        self._known = incarnation.id
        log.info("boards.looked_after", incarnation=incarnation.id, sessions=len(sessions))

    async def audit(self) -> None:
        """If it is our turn: compare boards with the ledger, and build anew those that differ.

        While Redis is young it is somebody's turn every few seconds: who still wrote to the one before may have done so
        after the boards were built on this one, and published events there that are lost.
        """
        incarnation = await self._incarnations.current()
        is_young = incarnation.now_ms - incarnation.since_ms < YOUNG_SECONDS * 1000
        every_seconds = TURN_SECONDS if is_young else self._audit_seconds
        if not await self._turns.take("audit", seconds=every_seconds):
            return
        sessions = await sessions_with_boards(
            self._pool, live_seconds=LOOKED_AFTER_SECONDS, kept_seconds=AUDITED_SECONDS
        )
        found = await self._auditor.audit(sessions, settle_seconds=YOUNG_SETTLE_SECONDS if is_young else SETTLE_SECONDS)
        for quiz_session_id, differences in found.differing.items():
            self._metrics.differed.inc()
            log.error(
                "board.differed",
                quiz_session_id=str(quiz_session_id),
                participants=len(differences),
                first=str(differences[0]),
            )
            await self._rebuilder.make_whole(quiz_session_id, anew=True)
        await self._wanted.add(found.missing)
        log.info("boards.audited", sessions=len(sessions), differing=len(found.differing))
