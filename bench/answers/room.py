"""A session full of participants, whose answers have not been given yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import open_session
from tiebreak.database.quizzes import create_quiz
from tiebreak.ids import new_id
from tiebreak.quiz.model import ChoiceQuestion, QuestionId, Quiz, QuizSessionId, UserId

# Enough answers for the fastest way of a fast machine; a multiple of pgbench's batches.
PLAYERS = 8_192
QUESTIONS = 100
RIGHT = 1
POINTS = 100
INSERT_USERS = """
INSERT INTO users (id, kind, name) SELECT id, 'guest', 'A player' FROM unnest($1::uuid[]) AS u (id)
"""
JOIN = """
INSERT INTO quiz_session_participants (id, quiz_session_id, user_id, name)
SELECT uuidv7(), $1, id, 'A player' FROM unnest($2::uuid[]) AS u (id)
"""


class Given(NamedTuple):
    """An answer to be recorded; all of them are right."""

    user_id: UserId
    question_id: QuestionId
    answer_id: UUID


class Room(NamedTuple):
    """A session that everybody of `user_ids` has joined."""

    session_id: QuizSessionId
    question_ids: list[QuestionId]
    user_ids: list[UserId]

    def answers(self) -> Iterator[Given]:
        """Each participant's to each question, once: neighbours are of different participants."""
        for question_id in self.question_ids:
            for user_id in self.user_ids:
                yield Given(user_id, question_id, new_id())


def user_id_of(number: int) -> UserId:
    """By number, so that a script of pgbench can say it as well."""
    return UserId(UUID(f"00000000-0000-7000-8000-{number:012x}"))


async def open_room(pool: Pool, players: int = PLAYERS, questions: int = QUESTIONS, *, first_player: int = 0) -> Room:
    """A host, a quiz, a session of it, and participants."""
    host_id = UserId(new_id())
    await pool.execute(INSERT_USERS, [host_id])
    quiz_id, question_ids = await create_quiz(pool, host_id, quiz_of(questions))
    opened = await open_session(pool, host_id, quiz_id)
    assert opened
    user_ids = [user_id_of(first_player + number) for number in range(players)]
    await pool.execute(INSERT_USERS, user_ids)
    await pool.execute(JOIN, opened[0], user_ids)
    return Room(opened[0], question_ids, user_ids)


def quiz_of(questions: int) -> Quiz:
    """Of that many questions with four choices."""
    choices = ["stone", "pear", "chair", "cloud"]
    return Quiz(
        title="A quiz",
        questions=[
            ChoiceQuestion(prompt=f"Question {number}: which is a fruit?", choices=choices, answer=RIGHT, points=POINTS)
            for number in range(questions)
        ],
    )
