"""A live session in the database, and the windows of its questions, for tests below the game."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec

from tests.scene import Scene, new_user, quiz_of
from tiebreak.database.answers import NewAnswer, Outcome, record_answers
from tiebreak.database.held_answers import release_answers
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import Participant, open_session
from tiebreak.database.quizzes import create_quiz
from tiebreak.quiz.model import ParticipantId, Quiz, UserId
from tiebreak.quiz.options import Options
from tiebreak.quiz.ranking import opened_at_ms

LIMIT_MS = 20_000
# Not an id: one in a thousand has a word in it that the filter of names knows.
NUMBERS = itertools.count(1)


class LiveScene(Scene):
    """A scene whose session is live. Moments are milliseconds into the session."""

    @classmethod
    async def set(
        cls,
        pool: Pool,
        points: Sequence[int] = (100, 100, 100),
        options: Options | None = None,
        quiz: Quiz | None = None,
    ) -> LiveScene:
        """With `quiz`, that one, whatever `points` says."""
        host_id = await new_user(pool, "Host")
        quiz_id, question_ids = await create_quiz(pool, host_id, quiz or quiz_of(points))
        opened = await open_session(pool, host_id, quiz_id, options or Options())
        assert opened
        return cls(pool, host_id, quiz_id, question_ids, points, opened[0])

    async def player(self, name: str | None = None) -> tuple[UserId, Participant]:
        """A new guest who has joined; under a name that nobody else has if none is given."""
        return await super().player(name or f"Player {next(NUMBERS)}")

    def at(self, ms: int) -> int:
        """A moment of the session, since the epoch."""
        return opened_at_ms(self.session_id) + ms

    async def ask(self, question: int, *, opens_ms: int = 1_000, closes_ms: int | None = None) -> None:
        """Have the question's window there."""
        closes_ms = opens_ms + LIMIT_MS if closes_ms is None else closes_ms
        await self.pool.execute(
            "UPDATE quiz_session_questions SET opens_at_ms = $3, closes_at_ms = $4 "
            "WHERE quiz_session_id = $1 AND question_id = $2",
            self.session_id,
            self.question_ids[question],
            self.at(opens_ms),
            self.at(closes_ms),
        )

    async def shut(self, question: int, *, at_ms: int = 1_000 + LIMIT_MS) -> int:
        """The question takes no more answers; how many were released."""
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "UPDATE quiz_session_questions SET shut_at_ms = $3 WHERE quiz_session_id = $1 AND question_id = $2",
                self.session_id,
                self.question_ids[question],
                self.at(at_ms),
            )
            return await release_answers(connection, self.session_id)

    async def remove(self, participant_id: ParticipantId) -> None:
        await self.pool.execute("UPDATE quiz_session_participants SET removed_at = now() WHERE id = $1", participant_id)

    def live_answer(
        self,
        user_id: UserId,
        question: int,
        *,
        after_ms: int = 1_000,
        opens_ms: int | None = 1_000,
        answer_id=None,
        correct: bool = True,
    ) -> NewAnswer:
        """An answer whose score was computed with a window that begins at `opens_ms`; None: as of a self-paced one."""
        answer = self.new_answer(user_id, question, correct=correct, after_ms=after_ms, answer_id=answer_id)
        return msgspec.structs.replace(answer, opens_at_ms=None if opens_ms is None else self.at(opens_ms))

    async def give(self, user_id: UserId, question: int, **how) -> Outcome:
        """The same, recorded alone."""
        [outcome] = await record_answers(self.pool, [self.live_answer(user_id, question, **how)])
        return outcome
