"""What rooms are told by the app servers, gathered into few messages.

A room of a thousand that answers within a second gets ten `score_update`, not a thousand, and two `session_update`,
however many app servers there are: each of k tells a room a k-th as often. That a session ended is told at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence

import msgspec
import structlog

from tiebreak.app_server.room_ticks import RoomTicks
from tiebreak.app_server.server_count import ServerCount
from tiebreak.clock import Clock
from tiebreak.database.pool import FAILURES, Pool
from tiebreak.database.quiz_sessions import SessionNews, session_news
from tiebreak.quiz.model import QuizSessionId
from tiebreak.redis_client import OUTAGES, RedisError
from tiebreak.socket_adapter.emitter import Emitter
from tiebreak.socket_adapter.messages import Change, PlayersUpdate, RoomMessage, ScoreUpdate, SessionUpdate
from tiebreak.socket_adapter.tick_interval import interval_seconds

log = structlog.get_logger()

MAX_CHANGES = 50
# Names of who joined last, in one message.
MAX_NAMES = 50
# Participants are counted anew each time.
SESSION_SECONDS = 0.5


class Gathered(msgspec.Struct):
    """The first changes since the last tick, and how many more there were."""

    changes: list[Change] = []
    more: int = 0


class Ticks:
    """Collects changes and tells rooms when they are due. A lost `score_update` is healed by the next board."""

    def __init__(self, pool: Pool, emitter: Emitter, clock: Clock) -> None:
        self._pool = pool
        self._emitter = emitter
        self._count_in: Callable[[str], int] = lambda _: 0
        self._servers = ServerCount(clock)
        self._gathered: dict[QuizSessionId, Gathered] = {}
        self._with_players: set[QuizSessionId] = set()
        self._scores = RoomTicks(clock, tell=self._tell_scores, interval=self._score_interval)
        self._sessions = RoomTicks(clock, tell=self._tell_sessions, interval=self._session_interval)

    def answered(self, quiz_session_id: QuizSessionId, change: Change) -> None:
        """An answer was committed."""
        gathered = self._gathered.get(quiz_session_id)
        if gathered is None:
            gathered = self._gathered[quiz_session_id] = Gathered()
            self._scores.want(quiz_session_id)
        if len(gathered.changes) < MAX_CHANGES:
            gathered.changes.append(change)
        else:
            gathered.more += 1

    def players_changed(self, quiz_session_id: QuizSessionId) -> None:
        """Somebody joined, was removed, or has another name: a live session's room is told names, too."""
        self._with_players.add(quiz_session_id)
        self._sessions.want(quiz_session_id)

    def session_changed(self, quiz_session_id: QuizSessionId, *, at_once: bool = False) -> None:
        """It may have another state, or other counts; `at_once` for what happens only once to a session."""
        self._sessions.want(quiz_session_id, at_once=at_once)

    def known_servers(self) -> int:
        """How many app servers share the rooms."""
        return self._servers.known

    async def run(self, count_in: Callable[[str], int], count_servers: Callable[[], Awaitable[int]]) -> None:
        """Tell rooms for ever. `count_in` says how many sockets of this server are in a room."""
        self._count_in = count_in
        # Apart: counting participants may take a while, and scores do not wait for it.
        async with asyncio.TaskGroup() as group:
            group.create_task(self._scores.run())
            group.create_task(self._sessions.run())
            group.create_task(self._servers.run(count_servers))

    async def flush(self) -> None:
        """Tell everything there is to tell, at once."""
        await self._scores.flush()
        await self._sessions.flush()

    async def _tell_scores(self, due: Sequence[QuizSessionId]) -> None:
        updates = [(quiz_session_id, self._gathered.pop(quiz_session_id)) for quiz_session_id in due]
        try:
            await self._emitter.emit(
                [
                    (quiz_session_id, ScoreUpdate(quiz_session_id, tuple(gathered.changes), gathered.more))
                    for quiz_session_id, gathered in updates
                ]
            )
        except (*OUTAGES, RedisError) as error:
            log.warning("tick.scores_lost", error=str(error), sessions=len(due))

    async def _tell_sessions(self, due: Sequence[QuizSessionId]) -> None:
        has_told = False
        with_players = self._with_players.intersection(due)
        self._with_players -= with_players
        try:
            told = await self._tell_news(due, with_players)
            # Between our reading and our emitting, another server may have told that a session ended: our older news
            # came after that, and would be the last the room hears.
            said_open = [it.id for it in told if it.state != "finished"]
            await self._tell_news([it.id for it in await session_news(self._pool, said_open) if it.state == "finished"])
            has_told = True
        except (*OUTAGES, *FAILURES, RedisError) as error:
            log.warning("tick.sessions_waiting", error=str(error), sessions=len(due))
        finally:
            if not has_told:
                # That a session ended nobody else will say.
                self._with_players |= with_players
                for quiz_session_id in due:
                    self._sessions.want(quiz_session_id)

    async def _tell_news(
        self, quiz_session_ids: Sequence[QuizSessionId], with_players: Collection[QuizSessionId] = ()
    ) -> Sequence[SessionNews]:
        news = await session_news(self._pool, quiz_session_ids, with_newest=with_players, newest=MAX_NAMES)
        await self._emitter.emit([(it.id, message) for it in news for message in messages_of(it)])
        return news

    def _score_interval(self, quiz_session_id: QuizSessionId, lag_seconds: float) -> float:
        return interval_seconds(
            self._count_in(str(quiz_session_id)), servers=self._servers.known, lag_seconds=lag_seconds
        )

    def _session_interval(self, quiz_session_id: QuizSessionId, lag_seconds: float) -> float:
        return max(SESSION_SECONDS * self._servers.known, self._score_interval(quiz_session_id, lag_seconds))


def messages_of(news: SessionNews) -> Iterator[RoomMessage]:
    """What its room is told. The names are those that are there, not those that came since: a message may be lost."""
    yield SessionUpdate(news.id, news.state, news.participant_count)
    if news.newest is not None:
        more = news.participant_count - len(news.newest)
        yield PlayersUpdate(news.id, news.newest, more, news.participant_count)
