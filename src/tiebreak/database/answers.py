"""The ledger: participants' answers, each written with its event in one statement."""

from __future__ import annotations

from uuid import UUID

import msgspec

from tiebreak.database.pool import Pool
from tiebreak.database.queries import sql
from tiebreak.errors import Refusal
from tiebreak.events import TOPIC, ScoreChange, shard_of
from tiebreak.ids import new_id
from tiebreak.quiz.model import AnswerId, ParticipantId, QuestionId, QuizSessionId, Submission, UserId
from tiebreak.quiz.ranking import Row


class NewAnswer(msgspec.Struct, frozen=True):
    """A graded answer on its way into the ledger. `answer_id` is the client's, to recognise a retry."""

    quiz_session_id: QuizSessionId
    user_id: UserId
    question_id: QuestionId
    answer: Submission
    answer_id: UUID | None
    correct: bool
    score: int
    answered_at_ms: int


class Recorded(msgspec.Struct, frozen=True):
    """An answer that counts. `new` is False if an earlier request had recorded it already."""

    id: AnswerId
    participant_id: ParticipantId
    correct: bool
    score: int
    new: bool


class GivenAnswer(msgspec.Struct, frozen=True):
    """What a participant answered to a question."""

    question_id: QuestionId
    answer: Submission
    correct: bool
    score: int


async def record_answer(pool: Pool, answer: NewAnswer) -> Recorded | Refusal:
    """Write an answer and its event, once.

    Idempotent by `answer_id`: the same one again gives the first outcome again, after the session's end too.
    Of several answers to one question the unique constraint lets one through; the others are refused.
    """
    answer_row_id = AnswerId(new_id())
    row = await pool.fetchrow(
        sql("record_answer"),
        answer.quiz_session_id,
        answer.user_id,
        answer_row_id,
        answer.question_id,
        answer.answer_id,
        msgspec.json.encode(answer.answer).decode(),
        answer.correct,
        answer.score,
        answer.answered_at_ms,
        new_id(),
        TOPIC,
        "ADD_ANSWER",
        shard_of(answer.quiz_session_id),
    )
    if row is None:
        return Refusal.NOT_JOINED
    participant_id: ParticipantId = row["participant_id"]
    if row["participant_answer_id"] is not None:
        return Recorded(answer_row_id, participant_id, answer.correct, answer.score, new=True)
    # A statement of its own: it sees what a competing transaction has committed in between.
    earlier = await pool.fetchrow(sql("recorded_answer"), participant_id, answer.question_id)
    if earlier is not None and answer.answer_id is not None and earlier["answer_id"] == answer.answer_id:
        return Recorded(earlier["id"], participant_id, earlier["correct"], earlier["score"], new=False)
    if row["state"] == "finished":
        return Refusal.SESSION_FINISHED
    return Refusal.QUESTION_ALREADY_ANSWERED


async def answers_of(pool: Pool, participant_id: ParticipantId) -> list[GivenAnswer]:
    """What a participant has answered so far."""
    rows = await pool.fetch(sql("answers_of_participant"), participant_id)
    return [
        GivenAnswer(
            row["question_id"],
            msgspec.json.decode(row["answer"], type=Submission),
            row["correct"],
            row["score"],
        )
        for row in rows
    ]


async def ledger(pool: Pool, quiz_session_id: QuizSessionId) -> list[ScoreChange]:
    """Every answer of a session, as its event said it."""
    return [
        ScoreChange(
            participant_answer_id=row["id"],
            quiz_session_id=quiz_session_id,
            quiz_session_participant_id=row["participant_id"],
            name=row["name"],
            question_id=row["question_id"],
            score=row["score"],
            answered_at_ms=row["answered_at_ms"],
        )
        for row in await pool.fetch(sql("ledger"), quiz_session_id)
    ]


async def standings(pool: Pool, quiz_session_id: QuizSessionId) -> list[Row]:
    """The whole leaderboard as the ledger has it, in order: what the cache must equal."""
    rows = await pool.fetch(sql("standings"), quiz_session_id)
    return [Row(row["rank"], ParticipantId(row["id"]), row["name"], row["score"]) for row in rows]
