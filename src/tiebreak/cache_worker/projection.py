"""THE WAY OF AN ANSWER, third part: bus → board → rooms."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog

from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.clock import Clock
from tiebreak.errors import Fault
from tiebreak.event_bus.bus import Consumer, Record
from tiebreak.events import ScoreChange, decode
from tiebreak.quiz.model import QuizSessionId
from tiebreak.redis_client import OUTAGES, RedisError
from tiebreak.socket_adapter.emitter import Emitter
from tiebreak.socket_adapter.messages import LeaderboardUpdating, RoomMessage

log = structlog.get_logger()

BATCH_SIZE = 1_000
POLL_SECONDS = 0.5
TICK_SECONDS = 0.1
LONGEST_BACKOFF_SECONDS = 2.0


class Projection:
    """Applies what it polls, tells each room at most every TICK_SECONDS, commits what both is done for."""

    def __init__(self, consumer: Consumer, leaderboards: Leaderboards, emitter: Emitter, clock: Clock) -> None:
        self._consumer = consumer
        self._leaderboards = leaderboards
        self._emitter = emitter
        self._clock = clock
        # Polled and not on the boards yet; kept over a fault, because the bus gives them once.
        self._unapplied: list[Record] = []
        # When each session's room is to be told next, and when it was told last.
        self._untold: dict[QuizSessionId, float] = {}
        self._told_at: dict[QuizSessionId, float] = {}
        # Applied and not committed; those in `_committing` wait only for the rooms in `_awaited`.
        self._uncommitted: list[Record] = []
        self._committing: list[Record] = []
        self._awaited: set[QuizSessionId] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Temporary faults are tried again, later each time; others end the worker."""
        backoff = TICK_SECONDS
        while not stop.is_set():
            try:
                await self.step()
                backoff = TICK_SECONDS
            except (Fault, RedisError, *OUTAGES) as error:
                if isinstance(error, Fault) and not error.temporary:
                    raise
                log.warning("projection.waiting", error=str(error), retry_seconds=backoff)
                await self._clock.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
        await self._consumer.close()

    async def step(self) -> None:
        """Poll once, apply, tell the rooms whose time has come, commit."""
        if not self._unapplied:
            self._unapplied = await self._consumer.poll(limit=BATCH_SIZE, timeout_seconds=self._seconds_to_next_tick())
        if self._unapplied:
            await self._apply()
        await self._tell()
        await self._commit()

    async def _apply(self) -> None:
        batches = by_session(decode(record.value).payload for record in self._unapplied)
        await self._leaderboards.apply(batches)
        for quiz_session_id in batches:
            # Told even if all were known already: the one before us may have died between board and room.
            due = self._told_at.get(quiz_session_id, float("-inf")) + TICK_SECONDS
            self._untold.setdefault(quiz_session_id, due)
        self._uncommitted += self._unapplied
        self._unapplied = []

    async def _commit(self) -> None:
        """Commit what is on the boards and was told to the rooms; a busy bus waits for no quiet moment."""
        self._awaited &= self._untold.keys()
        if self._awaited:
            return
        if self._committing:
            await self._consumer.commit(self._committing)
        self._committing, self._uncommitted = self._uncommitted, []
        self._awaited = set(self._untold)
        if self._committing and not self._awaited:
            await self._consumer.commit(self._committing)
            self._committing = []

    async def _tell(self) -> None:
        """Send the top of each board that changed, the latest and whole, where the last one is a tick ago."""
        now = self._clock.monotonic()
        due = [quiz_session_id for quiz_session_id, at in self._untold.items() if at <= now]
        messages: list[tuple[QuizSessionId, RoomMessage]] = [
            (quiz_session_id, LeaderboardUpdating(board))
            for quiz_session_id in due
            if (board := await self._leaderboards.read(quiz_session_id))
        ]
        await self._emitter.emit(messages)
        for quiz_session_id in due:
            del self._untold[quiz_session_id]
        # Only those told within the last tick still have to wait.
        self._told_at = {
            quiz_session_id: at for quiz_session_id, at in self._told_at.items() if at > now - TICK_SECONDS
        } | dict.fromkeys(due, now)

    def _seconds_to_next_tick(self) -> float:
        if not self._untold:
            return POLL_SECONDS
        return max(0.0, min(self._untold.values()) - self._clock.monotonic())


def by_session(changes: Iterable[ScoreChange]) -> dict[QuizSessionId, list[ScoreChange]]:
    """The changes of each session, in order."""
    batches: dict[QuizSessionId, list[ScoreChange]] = {}
    for change in changes:
        batches.setdefault(change.quiz_session_id, []).append(change)
    return batches
