"""Where live sessions stand, and each step of theirs in one transaction with what follows from it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from msgspec.structs import replace

from tiebreak.database.held_answers import release_answers
from tiebreak.database.pool import Connection, Pool
from tiebreak.database.queries import sql
from tiebreak.quiz.live import Game, Window
from tiebreak.quiz.model import QuestionId, QuizSessionId, Submission, UserId


class ToDo(msgspec.Struct, frozen=True):
    """Games that somebody has to see to, and what the database's clock says; `next_due_ms` may be past."""

    now_ms: float
    due: list[QuizSessionId]
    untold: list[QuizSessionId]
    next_due_ms: int | None


class Figures(msgspec.Struct, frozen=True):
    """How many play, and how many of them have answered the question."""

    players: int
    answered: int


class AnswerCount(msgspec.Struct, frozen=True):
    """How many gave an answer."""

    answer: Submission
    correct: bool
    count: int


class QuestionWindow(msgspec.Struct, frozen=True):
    """When a question opened, and whether it is shut."""

    question_id: QuestionId
    opens_at_ms: int
    shut_at_ms: int | None


class ParticipantResult(msgspec.Struct, frozen=True):
    """A participant's standing after the questions that are shut. `next_score` is that of the place above."""

    user_id: UserId
    name: str
    team: int | None
    extra_time_percent: int
    score: int
    rank: int | None
    next_score: int | None
    streak: int


class OwnAnswer(msgspec.Struct, frozen=True):
    """What a player answered to the question asked last."""

    answer: Submission
    correct: bool
    score: int


async def begin_game(connection: Connection, quiz_session_id: QuizSessionId, game: Game) -> None:
    """The game of a session that is just opened."""
    await connection.execute(sql("insert_live_game"), quiz_session_id, msgspec.json.encode(game).decode())


async def load_game(pool: Pool, quiz_session_id: QuizSessionId) -> Game | None:
    """Where it stands; None if there is no live session of this id."""
    state = await pool.fetchval(sql("live_game"), quiz_session_id)
    return msgspec.json.decode(state, type=Game) if state else None


async def take_step(
    pool: Pool, quiz_session_id: QuizSessionId, questions: Sequence[QuestionId], before: Game, after: Game, now_ms: int
) -> bool:
    """Go from one step to the next, with the windows of its questions; False if somebody else has taken one.

    A question that is left is shut, and its answers are let onto the board. Idempotent in effect: repeated after an
    outage, it finds its own step taken.
    """
    async with pool.acquire() as connection, connection.transaction():
        state = msgspec.json.encode(after).decode()
        arguments = (quiz_session_id, before.step, after.step, state, after.due_at_ms)
        if await connection.fetchval(sql("take_live_step"), *arguments) is None:
            return False
        if before.window and (after.window is None or after.window.index != before.window.index):
            if before.paused_at_ms is not None:
                # Where it really was, so that late answers are told that it is closed.
                await set_window(connection, quiz_session_id, questions, replace(before, paused_at_ms=None).window)
            await connection.execute(sql("shut_window"), quiz_session_id, questions[before.window.index], now_ms)
            await release_answers(connection, quiz_session_id)
        if after.window != before.window:
            await set_window(connection, quiz_session_id, questions, after.window)
        if after.phase == "finished":
            await connection.execute(sql("finish_quiz_session"), quiz_session_id)
        return True


async def set_window(
    connection: Connection, quiz_session_id: QuizSessionId, questions: Sequence[QuestionId], window: Window | None
) -> None:
    """Have a question's window there; without one there is nothing to do."""
    if window:
        arguments = (questions[window.index], window.opens_at_ms, window.closes_at_ms)
        await connection.execute(sql("open_window"), quiz_session_id, *arguments)


async def step_told(pool: Pool, quiz_session_id: QuizSessionId, step: int) -> None:
    """The room has been told of a step."""
    await pool.execute(sql("live_step_told"), quiz_session_id, step)


async def games_to_do(pool: Pool) -> ToDo:
    """What there is to do for all live games."""
    [row] = await pool.fetch(sql("live_games_to_do"))
    return ToDo(**row)


async def longest_extra_time(pool: Pool, quiz_session_id: QuizSessionId) -> int:
    """In percent of a question's time."""
    return int(await pool.fetchval(sql("longest_extra_time"), quiz_session_id))


async def figures_of(pool: Pool, quiz_session_id: QuizSessionId, question_id: QuestionId | None) -> Figures:
    """Counted now: O(players)."""
    [row] = await pool.fetch(sql("live_figures"), quiz_session_id, question_id)
    return Figures(**row)


async def have_all_answered(
    pool: Pool, quiz_session_id: QuizSessionId, question_id: QuestionId, users: Collection[UserId]
) -> bool:
    """Whether those of `users` who play, at least one, have all answered."""
    return bool(await pool.fetchval(sql("have_all_answered"), quiz_session_id, question_id, list(users)))


async def answer_counts(pool: Pool, quiz_session_id: QuizSessionId, question_id: QuestionId) -> list[AnswerCount]:
    """How often each answer was given, in any order."""
    rows = await pool.fetch(sql("answer_counts"), quiz_session_id, question_id)
    return [AnswerCount(decoded(row["answer"]), row["correct"], row["count"]) for row in rows]


async def windows_of(pool: Pool, quiz_session_id: QuizSessionId) -> dict[QuestionId, QuestionWindow]:
    """The questions that were asked."""
    rows = await pool.fetch(sql("session_windows"), quiz_session_id)
    return {row["question_id"]: QuestionWindow(**row) for row in rows}


async def live_results(
    pool: Pool, quiz_session_id: QuizSessionId, graded: Collection[QuestionId]
) -> dict[UserId, ParticipantResult]:
    """Everybody's result. `graded`: the questions that can be answered rightly. O(players x questions)."""
    rows = await pool.fetch(sql("live_results"), quiz_session_id, list(graded))
    return {row["user_id"]: ParticipantResult(**row) for row in rows}


async def own_answer(
    pool: Pool, quiz_session_id: QuizSessionId, question_id: QuestionId, user_id: UserId
) -> OwnAnswer | None:
    """A player's answer to a question, before and after its end."""
    row = await pool.fetchrow(sql("answer_of_user"), quiz_session_id, question_id, user_id)
    return OwnAnswer(decoded(row["answer"]), row["correct"], row["score"]) if row else None


def decoded(answer: str) -> Submission:
    return msgspec.json.decode(answer, type=Submission)
