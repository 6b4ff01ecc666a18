"""What answers are graded and scored with: their session's questions and rules, and where a live question begins.

None of it lets an answer in or keeps it out: the statement that records an answer looks at the window itself, and says
so if it is another one by now (database/answers.py, MOVED). Then it is read anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial

import msgspec

from tiebreak.app_server.frozen_questions import FrozenQuestions, Questions
from tiebreak.database.live_windows import extra_times, streaks, window_of
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import load_session
from tiebreak.quiz.grading import Grade
from tiebreak.quiz.live import DEFAULT_LIMIT_MS
from tiebreak.quiz.model import Question, QuestionId, QuizSessionId, UserId
from tiebreak.quiz.options import Options
from tiebreak.quiz.scoring import earns, rules_of
from tiebreak.single_flight import SingleFlight

MAX_SESSIONS = 1_000
# Nobody is credited with more, however long the way is, or seems to be.
MAX_CREDIT_MS = 75


class Window(msgspec.Struct, frozen=True):
    """A question that was asked. By user: right answers in a row before it, and extra time in percent."""

    question_id: QuestionId
    opens_at_ms: int
    streaks: Mapping[UserId, int]
    extra_time: Mapping[UserId, int]


class Play:
    """A session's questions, and how it is played."""

    def __init__(self, questions: Questions, options: Options | None = None) -> None:
        """`options` are a live session's; None if it is self-paced."""
        self.questions = questions
        self.options = options
        self.rules = rules_of(options, questions.values()) if options else None
        # That of the question under way. Only of one: streaks have an entry for each player.
        self.window: Window | None = None


class Plays:
    """Sessions whose answers came here; those that came first are forgotten first."""

    def __init__(
        self,
        pool: Pool,
        questions: FrozenQuestions,
        now_ms: Callable[[], int],
        *,
        credit_ms: Callable[[UserId], int] = lambda _: 0,
    ) -> None:
        """`now_ms`: the clock of games. `credit_ms`: for how long a user's answer was on its way, as far as we know."""
        self._pool = pool
        self._questions = questions
        self._credit_ms = credit_ms
        self.now_ms = now_ms
        # By the ids' numbers, as FrozenQuestions has them.
        self._at_hand: OrderedDict[int, Play] = OrderedDict()
        self._loads = SingleFlight[QuizSessionId, Play]()
        self._windows = SingleFlight[tuple[QuizSessionId, QuestionId], Window | None]()

    def at_hand(self, quiz_session_id: QuizSessionId) -> Play | None:
        """A session as it is played; None if that has to be read first."""
        return self._at_hand.get(quiz_session_id.int)

    async def of(self, quiz_session_id: QuizSessionId) -> Play:
        """The same, read if need be. A session that does not exist is a self-paced one without questions."""
        play = self._at_hand.get(quiz_session_id.int)
        if play is None:
            play = await self._loads.do(quiz_session_id, partial(self._load, quiz_session_id))
        return play

    async def window(
        self, quiz_session_id: QuizSessionId, play: Play, question_id: QuestionId, *, not_from: int | None = None
    ) -> Window | None:
        """A question's window; None if it was not asked. Asked for at once, it is read once.

        `not_from`: where it began, and does no more.
        """
        known = play.window
        if known is not None and known.question_id == question_id and known.opens_at_ms != not_from:
            return known
        work = partial(self._load_window, quiz_session_id, play, question_id)
        return await self._windows.do((quiz_session_id, question_id), work)

    def score(
        self, play: Play, window: Window | None, question: Question, grade: Grade, user_id: UserId, received_ms: int
    ) -> int:
        """The points of a live answer; without a window none, since it is not taken.

        Added time does not change the time there was, nor does an end before it: points are the same on every server.
        """
        if play.options is None or play.rules is None or window is None:
            return 0
        limit_ms = question.time_limit_ms or DEFAULT_LIMIT_MS
        limit_ms = limit_ms * (100 + window.extra_time.get(user_id, 0)) // 100
        credit_ms = min(max(self._credit_ms(user_id), 0), MAX_CREDIT_MS) if play.options.latency_credit else 0
        return play.rules.score(
            question,
            grade,
            taken_ms=max(received_ms - window.opens_at_ms - credit_ms, 0),
            limit_ms=limit_ms,
            streak=window.streaks.get(user_id, 0),
        )

    async def _load(self, quiz_session_id: QuizSessionId) -> Play:
        session = await load_session(self._pool, quiz_session_id)
        if session is None:
            return Play(Questions())
        play = Play(await self._questions.of(quiz_session_id), session.options)
        self._at_hand[quiz_session_id.int] = play
        if len(self._at_hand) > MAX_SESSIONS:
            self._at_hand.popitem(last=False)
        return play

    async def _load_window(self, quiz_session_id: QuizSessionId, play: Play, question_id: QuestionId) -> Window | None:
        found = await window_of(self._pool, quiz_session_id, question_id)
        if found is None:
            # Not remembered: it may be asked at any moment.
            return None
        in_a_row: Mapping[UserId, int] = {}
        if play.options and play.options.streak_bonus:
            before = earning_before(play.questions, question_id)
            in_a_row = await streaks(self._pool, quiz_session_id, before)
        extra_time = await extra_times(self._pool, quiz_session_id)
        window = Window(question_id, found.opens_at_ms, in_a_row, extra_time)
        if not found.is_shut:
            play.window = window
        return window


def earning_before(questions: Questions, question_id: QuestionId) -> list[QuestionId]:
    """Questions of a session before one, without those that nobody answers rightly or wrongly."""
    ids = list(questions)
    return [it for it in ids[: ids.index(question_id)] if earns(questions[it])]
