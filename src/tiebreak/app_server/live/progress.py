"""How many have answered: told to the room, and the end of a question once all who are there have answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from tiebreak.app_server.frozen_questions import FrozenQuestions
from tiebreak.app_server.live.conductor import Conductor
from tiebreak.app_server.live.presence import Presence
from tiebreak.app_server.room_ticks import RoomTicks
from tiebreak.clock import Clock
from tiebreak.database.live_games import figures_of, have_all_answered, load_game
from tiebreak.database.pool import FAILURES, Pool
from tiebreak.database.quiz_sessions import load_session
from tiebreak.quiz.live import Command
from tiebreak.quiz.model import QuizSessionId
from tiebreak.redis_client import OUTAGES, RedisError
from tiebreak.socket_adapter.emitter import Emitter
from tiebreak.socket_adapter.live_messages import ProgressUpdate

log = structlog.get_logger()

PROGRESS_SECONDS = 0.5


class Progress:
    """Rooms whose players are answering."""

    def __init__(
        self,
        pool: Pool,
        questions: FrozenQuestions,
        emitter: Emitter,
        conductor: Conductor,
        presence: Presence,
        clock: Clock,
        count_servers: Callable[[], int],
    ) -> None:
        self._pool = pool
        self._questions = questions
        self._emitter = emitter
        self._conductor = conductor
        self._presence = presence
        # Of rooms that are looked at again, though nobody may have answered meanwhile.
        self._told: dict[QuizSessionId, ProgressUpdate] = {}
        self._count_servers = count_servers
        self._rooms = RoomTicks(clock, tell=self._tell_all, interval=self._interval)

    def answered(self, quiz_session_id: QuizSessionId) -> None:
        """Somebody has answered the question under way."""
        self._rooms.want(quiz_session_id)

    async def run(self) -> None:
        """Tell rooms for ever."""
        await self._rooms.run()

    def _interval(self, _session: QuizSessionId, _lag_seconds: float) -> float:
        return PROGRESS_SECONDS * self._count_servers()

    async def _tell_all(self, due: Sequence[QuizSessionId]) -> None:
        for quiz_session_id in due:
            try:
                await self._tell(quiz_session_id)
            except (*OUTAGES, *FAILURES, RedisError) as error:
                # The next answer, or the clock, makes up for it.
                log.warning("progress.untold", quiz_session_id=str(quiz_session_id), error=repr(error))
            except Exception as error:
                # Of this game alone: the others, and the app server, go on.
                log.error("progress.failed", quiz_session_id=str(quiz_session_id), exc_info=error)

    async def _tell(self, quiz_session_id: QuizSessionId) -> None:
        game = await load_game(self._pool, quiz_session_id)
        if game is None or game.question is None or game.phase != "question":
            self._told.pop(quiz_session_id, None)
            return
        question_id = list(await self._questions.of(quiz_session_id))[game.question]
        figures = await figures_of(self._pool, quiz_session_id, question_id)
        update = ProgressUpdate(quiz_session_id, game.step, figures.answered, figures.players)
        if self._told.pop(quiz_session_id, None) != update:
            await self._emitter.emit([(quiz_session_id, update)])
        session = await load_session(self._pool, quiz_session_id)
        if session is None or session.options is None or not session.options.close_when_all_answered:
            return
        present = await self._presence.of(quiz_session_id)
        if game.paused_at_ms is None and await have_all_answered(self._pool, quiz_session_id, question_id, present):
            await self._conductor.command(quiz_session_id, Command("close"), game.step)
        elif figures.answered:
            # Who is thinking may leave, and then nobody else says so.
            self._told[quiz_session_id] = update
            self._rooms.want(quiz_session_id)
