"""Reads live games for whoever asks, and tells rooms of them."""

from __future__ import annotations

from collections import OrderedDict

from tiebreak.app_server.frozen_questions import FrozenQuestions
from tiebreak.app_server.live.game_clock import GameClock
from tiebreak.app_server.live.views import SHOWN, WITH_TEAMS, game_view
from tiebreak.clock import Clock
from tiebreak.database.live_games import answer_counts, figures_of, load_game
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import load_session
from tiebreak.database.quizzes import StoredQuestion
from tiebreak.database.teams import team_board
from tiebreak.errors import Refusal, Refused
from tiebreak.quiz.model import QuizSessionId
from tiebreak.single_flight import SingleFlight
from tiebreak.socket_adapter.emitter import Emitter
from tiebreak.socket_adapter.live_messages import GameUpdate, GameView

# A room that comes back at once is one reader. Durations are right to within this.
FRESH_SECONDS = 0.2
MAX_SESSIONS = 1_000


class Telling:
    """The views of games, as they are now."""

    def __init__(
        self, pool: Pool, questions: FrozenQuestions, emitter: Emitter, game_clock: GameClock, clock: Clock
    ) -> None:
        self._pool = pool
        self._questions = questions
        self._emitter = emitter
        self._game_clock = game_clock
        self._clock = clock
        self._reads: SingleFlight[QuizSessionId, GameView | None] = SingleFlight()
        self._known: OrderedDict[QuizSessionId, tuple[float, GameView]] = OrderedDict()

    async def view(self, quiz_session_id: QuizSessionId) -> GameView | None:
        """The game as it was a moment ago at most; None if there is no live session of this id."""
        known = self._known.get(quiz_session_id)
        if known and self._clock.monotonic() - known[0] < FRESH_SECONDS:
            return known[1]
        return await self._reads.do(quiz_session_id, lambda: self.read(quiz_session_id))

    async def tell(self, quiz_session_id: QuizSessionId) -> GameView | None:
        """Tell the room how its game stands now. Raises what Postgres and Redis raise."""
        view = await self.read(quiz_session_id)
        if view:
            await self._emitter.emit([(quiz_session_id, GameUpdate(view))])
        return view

    async def read(self, quiz_session_id: QuizSessionId) -> GameView | None:
        """The game as it is now; None if there is no live session of this id."""
        session = await load_session(self._pool, quiz_session_id)
        if session is None or session.options is None:
            return None
        questions = [StoredQuestion(*pair) for pair in (await self._questions.of(quiz_session_id)).items()]
        game = await load_game(self._pool, quiz_session_id)
        if game is None:
            return None
        asked = questions[game.question].id if game.question is not None else None
        figures = await figures_of(self._pool, quiz_session_id, asked)
        has_team_board = session.options.teams and game.phase in WITH_TEAMS
        view = game_view(
            session,
            session.options,
            game,
            questions,
            self._game_clock.now_ms(),
            figures,
            counts=await answer_counts(self._pool, quiz_session_id, asked) if asked and game.phase in SHOWN else None,
            team_board=await team_board(self._pool, quiz_session_id, session.options) if has_team_board else None,
        )
        known = self._known.get(quiz_session_id)
        if known is None or known[1].step <= view.step:
            self._known[quiz_session_id] = (self._clock.monotonic(), view)
            self._known.move_to_end(quiz_session_id)
        if len(self._known) > MAX_SESSIONS:
            self._known.popitem(last=False)
        return view


async def seen(telling: Telling, quiz_session_id: QuizSessionId) -> GameView:
    """What whoever asks is shown. Raises Refused(SESSION_NOT_LIVE)."""
    return existing(await telling.view(quiz_session_id))


def existing(game: GameView | None) -> GameView:
    """Raises Refused(SESSION_NOT_LIVE)."""
    if game is None:
        raise Refused(Refusal.SESSION_NOT_LIVE)
    return game
