"""THE WAY OF AN ANSWER, first part: the same function for HTTP and sockets.

Grade by the session's frozen questions, write answer and event in the next batch's statement, tell the room. A crash
before the commit leaves nothing; after it, the client's retry with the same answer_id finds the outcome.

In a live session the score depends on the question's window too. Nobody is told whether an answer is right, neither its
sender nor the room, before the question is shut.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, cast

import msgspec
from msgspec.structs import replace

from tiebreak.app_server.batches import Batches, Settle, settle_future
from tiebreak.app_server.frozen_questions import Questions
from tiebreak.app_server.nudge import Nudge
from tiebreak.app_server.plays import Play, Plays, Window
from tiebreak.app_server.ticks import Ticks
from tiebreak.cache.call_limits import CallLimit
from tiebreak.clock import Clock
from tiebreak.database.answers import MOVED, NOT_ASKED, Moved, NewAnswer, Recorded, record_answers
from tiebreak.database.pool import OUTAGES, Pool
from tiebreak.database.quiz_sessions import Join, Participant, find_participant, join_sessions
from tiebreak.errors import Refusal
from tiebreak.ids import new_id
from tiebreak.metrics import AppServerMetrics
from tiebreak.quiz.grading import grade
from tiebreak.quiz.model import AnswerId, ParticipantId, QuizSessionId, UserId
from tiebreak.quiz.scoring import score
from tiebreak.socket_adapter.messages import Change, UpdateScore


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The 200 of an answer. `correct` and `score` are null in a live session: they come with the caller's result.

    `receipt` is what `tiebreak verify` takes; null if Tiebreak kept no log when it came, and until a live question is
    shut.
    """

    participant_answer_id: AnswerId
    correct: bool | None
    score: int | None
    receipt: str | None


# A NewType is called like any function; this is not.
new_answer_id = cast("Callable[[], AnswerId]", new_id)


class Answers:
    """Takes answers."""

    def __init__(
        self,
        pool: Pool,
        plays: Plays,
        ticks: Ticks,
        nudge: Nudge,
        clock: Clock,
        metrics: AppServerMetrics,
        limit: CallLimit,
        *,
        longest_queue: int,
        on_live_answer: Callable[[QuizSessionId], object] = lambda _: None,
    ) -> None:
        """`limit` is each user's; `longest_queue`: how many may wait for a batch before others are refused as BUSY.

        `on_live_answer` is told that a live session has one answer more.
        """
        self._pool = pool
        self._plays = plays
        self._ticks = ticks
        self._nudge = nudge
        self._clock = clock
        self._metrics = metrics
        self._limit = limit
        self._on_live_answer = on_live_answer
        self._batches = Batches(
            self._record,
            clock,
            longest_queue=longest_queue,
            outages=OUTAGES,
            on_given_up=lambda: self._counted(Refusal.BUSY),
            on_settled=self._settled,
        )
        # Batches whose outcomes nobody else has heard of yet.
        self._untold: deque[tuple[Sequence[NewAnswer], Sequence[Recorded | Refusal]]] = deque()
        metrics.count_waiting = self._batches.__len__

    async def submit(self, user_id: UserId, command: UpdateScore) -> Outcome | Refusal:
        """Count an answer once, or say why not. Idempotent by `answer_id`; without one, a retry is refused.

        Raises Refused if the user has sent too many.
        """
        outcome: asyncio.Future[Outcome | Refusal] = asyncio.get_running_loop().create_future()
        settle = partial(settle_future, outcome)
        now_ms = self._clock.now_ms()
        begun = self.begin(user_id, command, settle, now_ms)
        if begun == "unknown":
            # When it came, by the clock of games too: not when everything is at hand.
            live_ms = self._plays.now_ms()
            self._limit.count(user_id.int)
            quiz_session_id, question_id = command.quiz_session_id, command.question_id
            play = await self._plays.of(quiz_session_id)
            if play.options is None or question_id not in play.questions:
                graded = self._graded(play, None, user_id, command, now_ms)
            else:
                window = await self._plays.window(quiz_session_id, play, question_id)
                graded = self._graded(play, window, user_id, command, live_ms)
            if graded is None:
                return self._counted(await self._refusal(play.questions, user_id, command))
            refusal = self._batches.submit(graded, settle)
            begun = self._counted(refusal) if refusal else "waiting"
        return await outcome if begun == "waiting" else begun

    def begin(
        self, user_id: UserId, command: UpdateScore, settle: Settle[Outcome | Refusal], now_ms: int
    ) -> Refusal | Literal["waiting", "unknown"]:
        """The same without waiting, for a good answer to a question at hand; otherwise "unknown": `submit` knows why.

        `now_ms` is when it came. "waiting": `settle` will be told the outcome, or what is raised. It must not raise.
        Raises Refused if the user has sent too many.
        """
        play = self._plays.at_hand(command.quiz_session_id)
        if play is None:
            return "unknown"
        window = play.window
        if play.options is not None:
            if window is None or window.question_id != command.question_id:
                return "unknown"
            now_ms = self._plays.now_ms()
        graded = self._graded(play, window, user_id, command, now_ms)
        if graded is None:
            return "unknown"
        self._limit.count(user_id.int)
        refusal = self._batches.submit(graded, settle)
        return self._counted(refusal) if refusal else "waiting"

    def _graded(
        self, play: Play, window: Window | None, user_id: UserId, command: UpdateScore, now_ms: int
    ) -> NewAnswer | None:
        """The answer as it will be recorded; None if it is none.

        A live one without a window is refused by the statement, which knows why.
        """
        question = play.questions.by_number.get(command.question_id.int)
        if question is None or (graded := grade(question, command.answer)) is None:
            return None
        if play.options is None:
            points, opens_at_ms = score(question, correct=graded.correct), None
        else:
            points = self._plays.score(play, window, question, graded, user_id, now_ms)
            opens_at_ms = window.opens_at_ms if window else NOT_ASKED
        return NewAnswer(
            new_answer_id(),
            command.quiz_session_id,
            user_id,
            command.question_id,
            command.answer,
            command.answer_id,
            graded.correct,
            points,
            now_ms,
            opens_at_ms,
        )

    async def _graded_anew(self, answer: NewAnswer) -> NewAnswer:
        """With the window that its question has now."""
        quiz_session_id = answer.quiz_session_id
        play = await self._plays.of(quiz_session_id)
        window = await self._plays.window(quiz_session_id, play, answer.question_id, not_from=answer.opens_at_ms)
        question = play.questions[answer.question_id]
        graded = grade(question, answer.answer)
        if window is None or graded is None:
            return answer
        points = self._plays.score(play, window, question, graded, answer.user_id, answer.answered_at_ms)
        return replace(answer, score=points, opens_at_ms=window.opens_at_ms)

    def _counted(self, refusal: Refusal) -> Refusal:
        self._metrics.answers[refusal.code] += 1
        return refusal

    async def _refusal(self, questions: Questions, user_id: UserId, command: UpdateScore) -> Refusal:
        """Why it cannot count. The seed's order of checks: who has not joined learns nothing about questions."""
        if await find_participant(self._pool, command.quiz_session_id, user_id) is None:
            return Refusal.NOT_JOINED
        return Refusal.ANSWER_INVALID if command.question_id in questions else Refusal.QUESTION_NOT_IN_QUIZ

    async def _record(self, answers: Sequence[NewAnswer]) -> list[Outcome | Refusal]:
        found = await record_answers(self._pool, answers)
        if moved := [place for place, outcome in enumerate(found) if outcome is MOVED]:
            await self._record_anew(answers, found, moved)
        # None of them is MOVED by now.
        outcomes = cast("list[Recorded | Refusal]", found)
        self._untold.append((answers, outcomes))
        return [
            outcome_of(recorded, answer) if isinstance(recorded, Recorded) else recorded
            for answer, recorded in zip(answers, outcomes, strict=True)
        ]

    async def _record_anew(
        self, answers: Sequence[NewAnswer], outcomes: list[Recorded | Refusal | Moved], moved: Sequence[int]
    ) -> None:
        """Of answers at these places the window has moved since they were scored: score them, and try, once more."""
        anew = [await self._graded_anew(answers[place]) for place in moved]
        for place, outcome in zip(moved, await record_answers(self._pool, anew), strict=True):
            outcomes[place] = Refusal.BUSY if outcome is MOVED else outcome

    def _settled(self, seconds: Sequence[float]) -> None:
        """Only now: those who wait for their outcomes come first."""
        self._metrics.answer_seconds.observe_all(seconds)
        while self._untold:
            self._tell(*self._untold.popleft())

    def _tell(self, answers: Sequence[NewAnswer], outcomes: Sequence[Recorded | Refusal]) -> None:
        """The room, the publisher and the metrics."""
        count, to_publish = 0, False
        live: set[QuizSessionId] = set()
        for answer, outcome in zip(answers, outcomes, strict=True):
            if isinstance(outcome, Refusal):
                self._metrics.answers[outcome.code] += 1
                continue
            count += 1
            if not outcome.new:
                continue
            if answer.opens_at_ms is not None:
                live.add(answer.quiz_session_id)
                continue
            if not to_publish:
                # Not for live answers: their events are held, there is nothing to publish yet.
                to_publish = True
                self._nudge.answered()
            change = Change(outcome.participant_id, answer.question_id, outcome.score)
            self._ticks.answered(answer.quiz_session_id, change)
        for quiz_session_id in live:
            self._on_live_answer(quiz_session_id)
        if count:
            self._metrics.answers["recorded"] += count
        self._metrics.answers_per_batch.observe(len(answers))


def outcome_of(recorded: Recorded, answer: NewAnswer) -> Outcome:
    """What a client is told of an answer that counts."""
    receipt = recorded.receipt.text() if recorded.receipt else None
    if answer.opens_at_ms is not None:
        return Outcome(recorded.id, None, None, receipt)
    return Outcome(recorded.id, recorded.correct, recorded.score, receipt)


class Joins:
    """Takes users into quiz sessions."""

    def __init__(self, pool: Pool, ticks: Ticks, clock: Clock, *, longest_queue: int) -> None:
        self._pool = pool
        self._ticks = ticks
        self._batches = Batches(self._join, clock, longest_queue=longest_queue, outages=OUTAGES)

    async def join(
        self, quiz_session_id: QuizSessionId, user_id: UserId, name: str | None, team: int | str | None = None
    ) -> Participant | Refusal:
        """Make the user a participant, under `name` or else the user's own. The second time it is refused."""
        return await self._batches.outcome_of(Join(ParticipantId(new_id()), quiz_session_id, user_id, name, team))

    async def _join(self, joins: Sequence[Join]) -> list[Participant | Refusal]:
        outcomes = await join_sessions(self._pool, joins)
        for join, outcome in zip(joins, outcomes, strict=True):
            if isinstance(outcome, Participant):
                self._ticks.players_changed(join.quiz_session_id)
        return outcomes
