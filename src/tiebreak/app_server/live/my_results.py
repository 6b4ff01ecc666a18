"""How each player stands: after every reveal the whole room asks at once, and is answered from one reading."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence

import msgspec

from tiebreak.app_server.frozen_questions import FrozenQuestions
from tiebreak.app_server.views import Key, key_of
from tiebreak.clock import Clock
from tiebreak.database.live_games import ParticipantResult, live_results, load_game, own_answer, windows_of
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import find_participant, load_session
from tiebreak.database.quizzes import StoredQuestion
from tiebreak.errors import Refusal, Refused
from tiebreak.quiz.model import QuestionId, QuizSessionId, Submission, UserId
from tiebreak.quiz.scoring import earns
from tiebreak.single_flight import SingleFlight

FRESH_SECONDS = 0.5
MAX_SESSIONS = 1_000


class OwnAnswerView(msgspec.Struct, frozen=True):
    """What the caller answered; whether it was right and what it earned only once the question is shut."""

    answer: Submission
    correct: bool | None
    score: int | None


class NextPlace(msgspec.Struct, frozen=True):
    """The place above, and the points to get level with it."""

    rank: int
    points: int


class MyResult(msgspec.Struct, frozen=True):
    """How the caller stands in a live game, and what became of the answer to the question asked last."""

    step: int
    question_id: QuestionId | None
    answered: OwnAnswerView | None
    right_answer: Key
    streak: int
    score: int
    rank: int | None
    players: int
    next: NextPlace | None
    name: str
    team: str | None
    extra_time_percent: int


class Known(msgspec.Struct, frozen=True):
    """Everybody's results as of a step, and when they were read (Clock.monotonic)."""

    step: int
    at: float
    results: Mapping[UserId, ParticipantResult]
    rank_of_score: Mapping[int, int]
    shut: Collection[QuestionId]
    teams: Sequence[str]


class MyResults:
    """Results by session; those asked for longest ago are forgotten first."""

    def __init__(self, pool: Pool, questions: FrozenQuestions, clock: Clock) -> None:
        self._pool = pool
        self._questions = questions
        self._clock = clock
        self._reads: SingleFlight[tuple[QuizSessionId, int], Known] = SingleFlight()
        self._known: OrderedDict[QuizSessionId, Known] = OrderedDict()

    async def of(self, quiz_session_id: QuizSessionId, user_id: UserId) -> MyResult:
        """The caller's. Raises Refused: SESSION_NOT_FOUND, SESSION_NOT_LIVE, NOT_JOINED."""
        game = await load_game(self._pool, quiz_session_id)
        if game is None:
            known = await load_session(self._pool, quiz_session_id)
            raise Refused(Refusal.SESSION_NOT_LIVE if known else Refusal.SESSION_NOT_FOUND)
        questions = [StoredQuestion(*pair) for pair in (await self._questions.of(quiz_session_id)).items()]
        standings = await self._standings(quiz_session_id, game.step)
        mine = standings.results.get(user_id)
        if mine is None:
            # Who has joined since.
            if await find_participant(self._pool, quiz_session_id, user_id) is None:
                raise Refused(Refusal.NOT_JOINED)
            standings = await self._read(quiz_session_id, game.step)
            mine = standings.results.get(user_id)
            if mine is None:
                raise Refused(Refusal.NOT_JOINED)
        asked = questions[game.question] if game.question is not None else None
        given = await own_answer(self._pool, quiz_session_id, asked.id, user_id) if asked else None
        is_shut = asked is not None and asked.id in standings.shut
        is_right_or_wrong = asked is not None and earns(asked.question)
        answered = None
        if given:
            answered = OwnAnswerView(
                given.answer,
                given.correct if is_shut and is_right_or_wrong else None,
                given.score if is_shut else None,
            )
        teams = standings.teams
        return MyResult(
            step=game.step,
            question_id=asked.id if asked else None,
            answered=answered,
            right_answer=key_of(asked) if asked and is_shut else None,
            streak=mine.streak,
            score=mine.score,
            rank=mine.rank,
            players=len(standings.results),
            next=next_place(mine, standings),
            name=mine.name,
            team=teams[mine.team] if mine.team is not None and mine.team < len(teams) else None,
            extra_time_percent=mine.extra_time_percent,
        )

    async def _standings(self, quiz_session_id: QuizSessionId, step: int) -> Known:
        known = self._known.get(quiz_session_id)
        if known and known.step == step and self._clock.monotonic() - known.at < FRESH_SECONDS:
            return known
        return await self._reads.do((quiz_session_id, step), lambda: self._read(quiz_session_id, step))

    async def _read(self, quiz_session_id: QuizSessionId, step: int) -> Known:
        questions = await self._questions.of(quiz_session_id)
        graded = [id_ for id_, question in questions.items() if earns(question)]
        at = self._clock.monotonic()
        windows = await windows_of(self._pool, quiz_session_id)
        session = await load_session(self._pool, quiz_session_id)
        results = await live_results(self._pool, quiz_session_id, graded)
        ranks = {it.score: it.rank for it in results.values() if it.rank is not None}
        shut = frozenset(id_ for id_, window in windows.items() if window.shut_at_ms is not None)
        teams = session.options.teams if session and session.options else []
        known = self._known[quiz_session_id] = Known(step, at, results, ranks, shut, teams)
        self._known.move_to_end(quiz_session_id)
        if len(self._known) > MAX_SESSIONS:
            self._known.popitem(last=False)
        return known


def next_place(mine: ParticipantResult, standings: Known) -> NextPlace | None:
    """None for whoever leads, and for whoever has no place yet."""
    if mine.rank is None or mine.next_score is None:
        return None
    return NextPlace(standings.rank_of_score[mine.next_score], mine.next_score - mine.score)
