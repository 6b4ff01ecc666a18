"""Quizzes and their questions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

import msgspec

from tiebreak.database.pool import Connection, Pool, Record
from tiebreak.database.queries import sql
from tiebreak.ids import new_id
from tiebreak.quiz.model import Question, QuestionId, Quiz, QuizId, UserId

# What only some questions have; the rest are columns of their own.
BODY = ("choices", "answer", "tolerance", "image", "explanation")


class StoredQuestion(msgspec.Struct, frozen=True):
    """A question with its id."""

    id: QuestionId
    question: Question


class StoredQuiz(msgspec.Struct, frozen=True):
    """A quiz as its owner sees it."""

    id: QuizId
    owner_id: UserId
    title: str
    language: str
    created_at: datetime
    updated_at: datetime
    questions: tuple[StoredQuestion, ...]


class QuizSummary(msgspec.Struct, frozen=True):
    """A line in the owner's list."""

    id: QuizId
    title: str
    language: str
    question_count: int
    created_at: datetime
    updated_at: datetime


async def create_quiz(pool: Pool, owner_id: UserId, quiz: Quiz) -> tuple[QuizId, list[QuestionId]]:
    """Store a new quiz; its id and its questions' ids in order."""
    quiz_id = QuizId(new_id())
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(sql("insert_quiz"), quiz_id, owner_id, quiz.title, quiz.language)
        return quiz_id, await _insert_questions(connection, owner_id, quiz_id, quiz.questions)


async def replace_quiz(pool: Pool, owner_id: UserId, quiz_id: QuizId, quiz: Quiz) -> list[QuestionId] | None:
    """Give a quiz new content; sessions under way keep the old. None if it does not exist any more."""
    async with pool.acquire() as connection, connection.transaction():
        if await connection.fetchval(sql("lock_quiz"), quiz_id) is None:
            return None
        await connection.execute(sql("update_quiz"), quiz_id, quiz.title, quiz.language)
        old = await connection.fetch(sql("unlink_questions"), quiz_id)
        question_ids = await _insert_questions(connection, owner_id, quiz_id, quiz.questions)
        await connection.execute(sql("delete_unused_questions"), [row["question_id"] for row in old])
        return question_ids


async def delete_quiz(pool: Pool, quiz_id: QuizId) -> None:
    """Remove a quiz; its sessions stay, with their questions. Idempotent."""
    async with pool.acquire() as connection, connection.transaction():
        # The lock first, as in replace_quiz and open_session: what they do happens before or after, not between.
        await connection.fetchval(sql("lock_quiz"), quiz_id)
        old = await connection.fetch(sql("unlink_questions"), quiz_id)
        await connection.execute(sql("delete_quiz"), quiz_id)
        await connection.execute(sql("delete_unused_questions"), [row["question_id"] for row in old])


async def quiz_owner(pool: Pool, quiz_id: QuizId) -> UserId | None:
    """Whose quiz it is; None if there is no such quiz."""
    return cast(UserId | None, await pool.fetchval(sql("quiz_owner"), quiz_id))


async def quizzes_of(pool: Pool, owner_id: UserId) -> list[QuizSummary]:
    """The owner's quizzes, the one changed last first."""
    return [QuizSummary(**row) for row in await pool.fetch(sql("quizzes_of_owner"), owner_id)]


async def load_quiz(pool: Pool, quiz_id: QuizId) -> StoredQuiz | None:
    """A quiz with its questions and their keys."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        row = await connection.fetchrow(sql("quiz"), quiz_id)
        if row is None:
            return None
        return StoredQuiz(**row, questions=stored_questions(await connection.fetch(sql("questions_of_quiz"), quiz_id)))


def stored_questions(rows: Sequence[Record]) -> tuple[StoredQuestion, ...]:
    """Questions from rows of id, type, prompt, body, points, time_limit_ms."""
    return tuple(StoredQuestion(row["id"], _question(row)) for row in rows)


def _question(row: Record) -> Question:
    body = msgspec.json.decode(row["body"], type=dict[str, object])
    return msgspec.convert(
        {**body, **{name: row[name] for name in ("type", "prompt", "points", "time_limit_ms")}}, Question
    )


async def _insert_questions(
    connection: Connection, owner_id: UserId, quiz_id: QuizId, questions: Sequence[Question]
) -> list[QuestionId]:
    ids = [QuestionId(new_id()) for _ in questions]
    types: list[str] = []
    bodies: list[str] = []
    for question in questions:
        fields = msgspec.to_builtins(question)
        types.append(fields["type"])
        body = {name: fields[name] for name in BODY if fields.get(name) is not None}
        bodies.append(msgspec.json.encode(body).decode())
    await connection.execute(
        sql("insert_questions"), ids, owner_id, types, [question.prompt for question in questions], bodies
    )
    await connection.execute(
        sql("insert_question_quiz"),
        quiz_id,
        ids,
        [question.points for question in questions],
        [question.time_limit_ms for question in questions],
    )
    return ids
