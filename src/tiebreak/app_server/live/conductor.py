"""Conducts live games: carries out what hosts command and what is due. Any app server conducts any game.

A step is taken in the database, by whoever is first, and told to the room after that; one that dies in between has it
told by the next. So a game goes on whatever dies, and two clicks, or two screens, are one step.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

import structlog

from tiebreak.app_server.frozen_questions import FrozenQuestions, Questions
from tiebreak.app_server.live.game_clock import GameClock
from tiebreak.app_server.live.script import script_of
from tiebreak.app_server.live.telling import Telling
from tiebreak.app_server.nudge import Nudge
from tiebreak.clock import Clock
from tiebreak.database.held_answers import release_stragglers
from tiebreak.database.live_games import games_to_do, load_game, longest_extra_time, step_told, take_step
from tiebreak.database.pool import FAILURES, Pool
from tiebreak.errors import Refusal, Refused
from tiebreak.quiz.live import Command, Game, move_on, obey
from tiebreak.quiz.model import QuizSessionId
from tiebreak.redis_client import OUTAGES, RedisError
from tiebreak.socket_adapter.redis_streams.patience import end_if_cancelled

log = structlog.get_logger()

POLL_SECONDS = 0.25
SHORTEST_POLL_SECONDS = 0.01
# Somebody else may have been just about to take the step.
TRIES = 5

Untold: TypeAlias = Mapping[QuizSessionId, float]


class Conductor:
    """Takes steps, and has rooms told of them."""

    def __init__(
        self,
        pool: Pool,
        questions: FrozenQuestions,
        telling: Telling,
        nudge: Nudge,
        game_clock: GameClock,
        clock: Clock,
        on_finished: Callable[[QuizSessionId], Awaitable[None]],
    ) -> None:
        """`on_finished` is called after a session's last step."""
        self._on_finished = on_finished
        self._pool = pool
        self._questions = questions
        self._telling = telling
        self._nudge = nudge
        self._game_clock = game_clock
        self._clock = clock
        # Heard of without their rooms having been told, and since when.
        self._untold: dict[QuizSessionId, float] = {}

    async def command(self, quiz_session_id: QuizSessionId, command: Command, step: int | None) -> Game | Refusal:
        """Carry out a host's command and return the game after it.

        A command for another `step` than the game's is not carried out: somebody was first. None: whatever the step.
        """
        questions = await self._questions.of(quiz_session_id)
        script = script_of(questions.values())
        for _ in range(TRIES):
            game = await load_game(self._pool, quiz_session_id)
            if game is None:
                return Refusal.SESSION_NOT_LIVE
            if step is not None and game.step != step:
                return game
            extra_percent = await longest_extra_time(self._pool, quiz_session_id)
            after = obey(game, command, script, self._game_clock.now_ms(), extra_percent=extra_percent)
            if isinstance(after, Refusal):
                return after
            if await self._take(quiz_session_id, questions, game, after):
                return after
        return Refusal.BUSY

    async def finish(self, quiz_session_id: QuizSessionId) -> None:
        """End a game for good, wherever it stands. May be repeated. Raises Refused(BUSY)."""
        for _ in range(TRIES):
            ended = await self.command(quiz_session_id, Command("end"), None)
            if ended is Refusal.COMMAND_NOT_NOW or (isinstance(ended, Game) and ended.phase == "finished"):
                return
        raise Refused(Refusal.BUSY)

    async def run(self) -> None:
        """Carry out what is due, for ever."""
        answered = True
        while True:
            end_if_cancelled()
            wait_seconds = POLL_SECONDS
            try:
                wait_seconds = await self._look()
                if not answered:
                    log.info("games.go_on")
                answered = True
            except (*FAILURES, *OUTAGES, RedisError) as error:
                if answered:
                    log.warning("games.stand_still", error=repr(error), retry_seconds=POLL_SECONDS)
                answered = False
            await self._clock.sleep(wait_seconds)

    async def _look(self) -> float:
        """One look at all games; in how many seconds the next one is wanted."""
        asked_at = self._clock.monotonic()
        to_do = await games_to_do(self._pool)
        self._game_clock.heard(to_do.now_ms, asked_at)
        is_well = all([await self._guarded(it, self._move_on) for it in to_do.due])
        # Before rooms are told: answers come onto the bus though Redis is away.
        if await release_stragglers(self._pool):
            self._nudge.answered()
        await self._tell_late(to_do.untold)
        if to_do.next_due_ms is None or not is_well:
            return POLL_SECONDS
        wait_seconds = (to_do.next_due_ms - self._game_clock.now_ms()) / 1000
        return min(max(wait_seconds, SHORTEST_POLL_SECONDS), POLL_SECONDS)

    async def _guarded(self, quiz_session_id: QuizSessionId, work: Callable[[QuizSessionId], Awaitable[None]]) -> bool:
        """False if something is wrong with this game: the others go on without it. Raises what says of an outage."""
        try:
            await work(quiz_session_id)
        except (*FAILURES, *OUTAGES, RedisError):
            raise
        except Exception as error:
            log.error("game.stuck", quiz_session_id=str(quiz_session_id), exc_info=error)
            return False
        return True

    async def _move_on(self, quiz_session_id: QuizSessionId) -> None:
        game = await load_game(self._pool, quiz_session_id)
        questions = await self._questions.of(quiz_session_id)
        if game is None:
            return
        extra_percent = await longest_extra_time(self._pool, quiz_session_id)
        now_ms = self._game_clock.now_ms()
        after = move_on(game, script_of(questions.values()), now_ms, extra_percent=extra_percent)
        if after is not None:
            await self._take(quiz_session_id, questions, game, after)

    async def _take(self, quiz_session_id: QuizSessionId, questions: Questions, game: Game, after: Game) -> bool:
        now_ms = self._game_clock.now_ms()
        if not await take_step(self._pool, quiz_session_id, list(questions), game, after, now_ms):
            return False
        log.info("game.step", quiz_session_id=str(quiz_session_id), step=after.step, phase=after.phase)
        try:
            if game.window and not after.window:
                self._nudge.answered()
            await self._tell(quiz_session_id)
            if after.phase == "finished":
                await self._on_finished(quiz_session_id)
        except (*FAILURES, *OUTAGES, RedisError) as error:
            # The step is taken; whoever looks next tells the room.
            log.warning("game.untold", quiz_session_id=str(quiz_session_id), error=repr(error))
        return True

    async def _tell(self, quiz_session_id: QuizSessionId) -> None:
        if view := await self._telling.tell(quiz_session_id):
            await step_told(self._pool, quiz_session_id, view.step)

    async def _tell_late(self, untold: Sequence[QuizSessionId]) -> None:
        """Tell rooms of steps whose taker did not, having had the time for it."""
        now = self._clock.monotonic()
        self._untold = {it: self._untold.get(it, now) for it in untold}
        for quiz_session_id, since in list(self._untold.items()):
            if now - since >= POLL_SECONDS:
                await self._guarded(quiz_session_id, self._tell)
