"""THE WAY OF AN ANSWER, third part: bus → board → rooms."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from tiebreak.cache.incarnation import Incarnations
from tiebreak.cache.leaderboard import Applied, Leaderboards, Unapplied
from tiebreak.cache.wanted_boards import WantedBoards
from tiebreak.clock import Clock
from tiebreak.errors import BusUnavailable, EventUndecodable, Fault
from tiebreak.event_bus.bus import GO_BACK_SECONDS, Consumer, Message, Producer, Record
from tiebreak.events import DEAD_TOPIC, DeadEvent, ScoreChange, decode, encode_dead
from tiebreak.metrics import CacheWorkerMetrics
from tiebreak.quiz.model import QuizSessionId
from tiebreak.quiz.ranking import Leaderboard
from tiebreak.redis_client import OUTAGES, RedisError
from tiebreak.socket_adapter.emitter import Emitter
from tiebreak.socket_adapter.messages import LeaderboardUpdating
from tiebreak.socket_adapter.room_schedule import RoomSchedule
from tiebreak.socket_adapter.tick_interval import interval_seconds

log = structlog.get_logger()

# All of one session, they are one Lua call of 5 ms: nobody else waits longer for Redis.
BATCH_SIZE = 1_000
POLL_SECONDS = 0.5
SHORTEST_BACKOFF_SECONDS = 0.1
LONGEST_BACKOFF_SECONDS = 2.0
# For the last messages and the last commit; whoever stops us kills us soon after.
LEAVING_SECONDS = 2.0
# Between tries to put a batch on a board that refuses it.
PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.4)
WATCH_SECONDS = 1.0
# How long another Redis may have been there before somebody saw it, and how far clocks may be apart.
MARGIN_MS = 30_000


class Projection:
    """Applies what it polls, tells each room at most once in its interval, commits what both is done for."""

    def __init__(
        self,
        consumer: Consumer,
        graveyard: Producer,
        leaderboards: Leaderboards,
        wanted: WantedBoards,
        incarnations: Incarnations,
        emitter: Emitter,
        clock: Clock,
        metrics: CacheWorkerMetrics,
    ) -> None:
        """`graveyard` takes the events that cannot be put on a board."""
        self._consumer = consumer
        self._graveyard = graveyard
        self._leaderboards = leaderboards
        self._wanted = wanted
        self._incarnations = incarnations
        self._emitter = emitter
        self._clock = clock
        self._metrics = metrics
        self.stepped_at = clock.monotonic()
        self._incarnation = ""
        self._watch_at = float("-inf")
        # Polled and not on the boards yet; kept over a fault, because the bus gives them once.
        self._unapplied: list[Record] = []
        self._polled_at = clock.monotonic()
        self._rooms = RoomSchedule()
        # Applied and not committed; those in `_committing` wait only for the rooms in `_awaited`.
        self._uncommitted: list[Record] = []
        self._committing: list[Record] = []
        self._awaited: set[QuizSessionId] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Temporary faults are tried again, later each time; others end the worker."""
        backoff = SHORTEST_BACKOFF_SECONDS
        while not stop.is_set():
            try:
                await self.step()
                backoff = SHORTEST_BACKOFF_SECONDS
            except (Fault, RedisError, *OUTAGES) as error:
                if isinstance(error, Fault) and not error.temporary:
                    raise
                log.warning("projection.waiting", error=str(error), retry_seconds=backoff)
                await self._clock.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
        await self._leave()
        await self._consumer.close()

    async def step(self) -> None:
        """Poll once, apply, tell the rooms whose time has come, commit."""
        if self._clock.monotonic() >= self._watch_at:
            await self._watch()
        if not self._unapplied:
            await self._poll()
        if self._unapplied:
            await self._apply()
        await self._tell()
        await self._commit()
        self.stepped_at = self._clock.monotonic()

    async def _watch(self) -> None:
        """Go back in the log if Redis is another one.

        What we put on boards of the one before, and committed, the boards of this one may have been built without.
        """
        found = await self._incarnations.current()
        is_young = found.now_ms - found.since_ms < GO_BACK_SECONDS * 1000
        if found.id != self._incarnation and (self._incarnation or is_young):
            self._consumer.go_back(found.since_ms - MARGIN_MS)
            log.info("projection.went_back", incarnation=found.id, since_ms=found.since_ms)
        self._incarnation = found.id
        self._watch_at = self._clock.monotonic() + WATCH_SECONDS

    async def _poll(self) -> None:
        """Wait for records until the next room is due."""
        asked_at = self._clock.monotonic()
        next_at = self._rooms.next_at
        timeout_seconds = POLL_SECONDS if next_at is None else min(POLL_SECONDS, max(0.0, next_at - asked_at))
        self._unapplied = await self._consumer.poll(limit=BATCH_SIZE, timeout_seconds=timeout_seconds)
        self._polled_at = self._clock.monotonic()

    async def _apply(self) -> None:
        """Put the polled answers on their boards, and what cannot be put there on the dead-letter topic."""
        batches, dead = sorted_out(self._unapplied)
        results = await self._leaderboards.apply({session: batch.changes for session, batch in batches.items()})
        partial: list[QuizSessionId] = []
        for quiz_session_id, batch in batches.items():
            result = results[quiz_session_id]
            if isinstance(result, Unapplied):
                result = await self._insist(quiz_session_id, batch)
            if isinstance(result, Unapplied):
                dead += [(record, result.reason) for record in batch.records]
                continue
            self._count(result, batch.changes)
            if not result.whole:
                partial.append(quiz_session_id)
            # Told even if all were known already: the one before us may have died between board and room.
            # Wanted since we know of it: the time that the boards take is part of how late the room is told.
            self._rooms.want(quiz_session_id, self._polled_at)
        await self._wanted.add(partial)
        if dead:
            await self._bury(dead)
        self._uncommitted += self._unapplied
        self._unapplied = []

    async def _insist(self, quiz_session_id: QuizSessionId, batch: Batch) -> Applied | Unapplied:
        """Try again a few times: somebody may be mending the board."""
        result: Applied | Unapplied = Unapplied("not tried")
        for pause in PAUSES_SECONDS:
            await self._clock.sleep(pause)
            result = (await self._leaderboards.apply({quiz_session_id: batch.changes}))[quiz_session_id]
            if isinstance(result, Applied):
                break
        return result

    async def _bury(self, dead: Sequence[tuple[Record, str]]) -> None:
        """Put events where a person will look at them; only then may their offsets be committed."""
        now = self._clock.now_ms()
        messages = [
            Message(record.key, encode_dead(dead_event(record, reason, died_at_ms=now))) for record, reason in dead
        ]
        if not all(await self._graveyard.publish(DEAD_TOPIC, messages)):
            raise BusUnavailable("The bus did not take all dead events.")
        self._metrics.dead.inc(len(dead))
        log.error("projection.events_dead", count=len(dead), reasons=sorted({reason for _, reason in dead})[:5])

    def _count(self, result: Applied, changes: Sequence[ScoreChange]) -> None:
        self._metrics.answers.labels("new").inc(result.new)
        self._metrics.answers.labels("known").inc(len(changes) - result.new)
        now = self._clock.now_ms()
        for change in changes:
            self._metrics.board_seconds.observe(max(0, now - change.answered_at_ms) / 1000)

    async def _commit(self) -> None:
        """Commit what is on the boards and was told to the rooms; a busy bus waits for no quiet moment."""
        self._awaited &= self._rooms.waiting
        if self._awaited:
            return
        if self._committing:
            await self._consumer.commit(self._committing)
        self._committing, self._uncommitted = self._uncommitted, []
        self._awaited = set(self._rooms.waiting)
        if self._committing and not self._awaited:
            await self._consumer.commit(self._committing)
            self._committing = []

    async def _tell(self) -> None:
        """Send the top of each board that changed, the latest and whole, to the rooms that are due."""
        now = self._clock.monotonic()
        self._rooms.forget_rested(now)
        due_at = self._rooms.next_at
        if due_at is None or due_at > now:
            return
        boards = await self._send(self._rooms.due(now))
        # How late whoever waited longest was told: behind are we by whatever takes long, the bus, the boards or this.
        lag_seconds = self._clock.monotonic() - due_at
        for quiz_session_id, board in boards.items():
            interval = interval_seconds(board.participants if board else 0, lag_seconds=lag_seconds)
            self._rooms.told(quiz_session_id, now, interval)

    async def _send(self, quiz_session_ids: Sequence[QuizSessionId]) -> dict[QuizSessionId, Leaderboard | None]:
        boards = await self._leaderboards.tops(quiz_session_ids)
        await self._emitter.emit(
            [(quiz_session_id, LeaderboardUpdating(board)) for quiz_session_id, board in boards.items() if board]
        )
        return boards

    async def _leave(self) -> None:
        """Tell the rooms that wait, due or not, and commit, so that they need not wait for the next worker.

        What does not succeed now it does over again.
        """
        try:
            async with asyncio.timeout(LEAVING_SECONDS):
                if waiting := list(self._rooms.waiting):
                    now = self._clock.monotonic()
                    for quiz_session_id in await self._send(waiting):
                        self._rooms.told(quiz_session_id, now, 0.0)
                await self._commit()
        except (Fault, RedisError, *OUTAGES) as error:
            log.warning("projection.left_to_the_next", error=repr(error), rooms=len(self._rooms.waiting))


class Batch(msgspec.Struct):
    """What was polled of one session."""

    records: list[Record] = []
    changes: list[ScoreChange] = []


def sorted_out(records: Sequence[Record]) -> tuple[dict[QuizSessionId, Batch], list[tuple[Record, str]]]:
    """The records by session, in order, and those that are no events, each with the reason."""
    batches: dict[QuizSessionId, Batch] = {}
    dead: list[tuple[Record, str]] = []
    for record in records:
        try:
            change = decode(record.value).payload
        except EventUndecodable as error:
            dead.append((record, str(error)))
            continue
        batch = batches.setdefault(change.quiz_session_id, Batch())
        batch.records.append(record)
        batch.changes.append(change)
    return batches, dead


def dead_event(record: Record, reason: str, *, died_at_ms: int) -> DeadEvent:
    return DeadEvent(reason, record.topic, record.partition, record.offset, record.key, record.value, died_at_ms)
