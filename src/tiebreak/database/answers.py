"""The ledger: participants' answers, a batch of them with their events in one statement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from tiebreak.database.pool import Pool, Record
from tiebreak.database.queries import sql
from tiebreak.errors import Refusal
from tiebreak.events import TOPIC, ScoreChange, shard_of
from tiebreak.quiz.model import AnswerId, ParticipantId, QuestionId, QuizSessionId, Submission, UserId
from tiebreak.quiz.ranking import Row, Standing
from tiebreak.quiz.receipts import Receipt


# Without the garbage collector (`gc=False`), here and in what answers are made of and into: they are many, and nothing
# in them can refer back to them.
class NewAnswer(msgspec.Struct, frozen=True, gc=False):
    """A graded answer on its way into the ledger.

    `id` is its own, whatever becomes of the statement; `answer_id` is the client's. Each tells a retry, of ours or of
    the client's, from a second answer. `opens_at_ms` is None in a self-paced session; in a live one it is where the
    question's window began when the score was computed, or NOT_ASKED.
    """

    id: AnswerId
    quiz_session_id: QuizSessionId
    user_id: UserId
    question_id: QuestionId
    answer: Submission
    answer_id: UUID | None
    correct: bool
    score: int
    answered_at_ms: int
    opens_at_ms: int | None = None


# No window begins there.
NOT_ASKED = -1


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An answer that counts. `new` is False if an earlier request had recorded it already.

    `receipt` is None if it was recorded by a Tiebreak that kept no log, beside one that does; and in a live session
    until the question is shut: who has two receipts in a row can find out by them whether an answer was right.
    """

    id: AnswerId
    participant_id: ParticipantId
    correct: bool
    score: int
    new: bool
    receipt: Receipt | None


class GivenAnswer(msgspec.Struct, frozen=True):
    """What a participant answered to a question."""

    question_id: QuestionId
    answer: Submission
    correct: bool
    score: int


# The question's window is another one than the score was computed with. Nothing was recorded; with a new score
# the answer may be given again.
Moved: TypeAlias = Literal["moved"]
MOVED: Moved = "moved"
Outcome: TypeAlias = Recorded | Refusal | Moved

# By what the statement says of an answer that is not new, if nothing else was recorded for its question.
NOT_RECORDED: Mapping[str, Outcome] = {
    "foreign": Refusal.QUESTION_NOT_IN_QUIZ,
    "finished": Refusal.SESSION_FINISHED,
    "open": Refusal.QUESTION_ALREADY_ANSWERED,
    "not_open": Refusal.QUESTION_NOT_OPEN,
    "closed": Refusal.QUESTION_CLOSED,
    "moved": MOVED,
}


async def record_answers(pool: Pool, answers: Sequence[NewAnswer]) -> list[Outcome]:
    """Write each answer with its event, once, and into its session's log, all in one commit; their outcomes, in order.

    Idempotent by `id` and by `answer_id`: the same answer again gives the first outcome again, after the question's
    close and the session's end too. Of several answers to one question, in one batch or in many, the unique constraint
    lets one through; the others are refused. No answer's outcome depends on its neighbours'.
    """
    if len(answers) == 1:
        [answer] = answers
        recorded = await pool.fetch_hot(sql("record_answer"), *row_of(answer), TOPIC, "ADD_ANSWER")
        if recorded and recorded[0]["new"]:
            return [recorded_as(answer, recorded[0], recorded[0]["length"])]
    else:
        columns = zip(*[row_of(answer) for answer in answers], strict=True)
        recorded = await pool.fetch_hot(sql("record_answers"), *columns, TOPIC, "ADD_ANSWER")
    outcomes: list[Outcome] = [Refusal.NOT_JOINED] * len(answers)
    new: list[tuple[int, Record]] = []
    not_new: dict[int, ParticipantId] = {}
    for row in recorded:
        place: int = row["place"] - 1
        if row["new"]:
            new.append((place, row))
            continue
        outcomes[place] = NOT_RECORDED[row["gate"]]
        if row["gate"] != "foreign":
            not_new[place] = row["participant_id"]
    for place, of_now in recorded_now(answers, new):
        outcomes[place] = of_now
    if not_new:
        for place, earlier in (await recorded_before(pool, answers, not_new)).items():
            if earlier is not None:
                outcomes[place] = earlier
            elif outcomes[place] is not Refusal.SESSION_FINISHED:
                outcomes[place] = Refusal.QUESTION_ALREADY_ANSWERED
    return outcomes


def recorded_now(answers: Sequence[NewAnswer], new: list[tuple[int, Record]]) -> Iterator[tuple[int, Recorded]]:
    """The new ones, by place and row. A session's log has them in the order of their ids, and ends with the last."""
    new.sort(key=lambda one: answers[one[0]].id.int, reverse=True)
    positions: dict[QuizSessionId, int] = {}
    for place, row in new:
        answer = answers[place]
        length: int = row["length"]
        position = positions.get(answer.quiz_session_id, length)
        positions[answer.quiz_session_id] = position - 1
        yield place, recorded_as(answer, row, position)


def recorded_as(answer: NewAnswer, row: Record, position: int) -> Recorded:
    """A new answer, by its row and its position in the log."""
    receipt = (
        Receipt(answer.id, answer.quiz_session_id, answer.answered_at_ms, position, row["digest"])
        if answer.opens_at_ms is None
        else None
    )
    return Recorded(answer.id, row["participant_id"], answer.correct, answer.score, True, receipt)


def row_of(answer: NewAnswer) -> tuple[object, ...]:
    """The parameters of its statement."""
    return (
        answer.id,
        answer.quiz_session_id,
        answer.user_id,
        answer.question_id,
        answer.answer_id,
        msgspec.json.encode(answer.answer).decode(),
        answer.correct,
        answer.score,
        answer.answered_at_ms,
        shard_of(answer.quiz_session_id),
        answer.opens_at_ms,
    )


async def recorded_before(
    pool: Pool, answers: Sequence[NewAnswer], not_new: Mapping[int, ParticipantId]
) -> dict[int, Recorded | None]:
    """Those of `not_new`, place and participant, that an earlier statement has recorded; None: another answer."""
    # A statement of its own: it sees what a competing transaction has committed in between.
    rows = await pool.fetch(
        sql("recorded_answers"),
        [answers[place].quiz_session_id for place in not_new],
        list(not_new.values()),
        [answers[place].question_id for place in not_new],
    )
    places = list(not_new)
    found: dict[int, Recorded | None] = {}
    for row in rows:
        at: int = row["place"] - 1
        answer = answers[places[at]]
        found[places[at]] = None
        ours = row["id"] == answer.id
        if ours or (answer.answer_id is not None and row["answer_id"] == answer.answer_id):
            receipt = (
                Receipt(row["id"], answer.quiz_session_id, row["answered_at_ms"], row["position"], row["digest"])
                if row["position"] is not None
                else None
            )
            participant_id = not_new[places[at]]
            found[places[at]] = Recorded(row["id"], participant_id, row["correct"], row["score"], ours, receipt)
    return found


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
    """Every answer of a session that belongs on its board, as its event said it.

    Not those of participants who were removed, nor those to a live question that is not shut.
    """
    return [score_change(quiz_session_id, row) for row in await pool.fetch(sql("ledger"), quiz_session_id)]


def score_change(quiz_session_id: QuizSessionId, row: Record) -> ScoreChange:
    """An answer of a session, as its event said it."""
    return ScoreChange(
        participant_answer_id=row["id"],
        quiz_session_id=quiz_session_id,
        quiz_session_participant_id=row["participant_id"],
        name=row["name"],
        question_id=row["question_id"],
        score=row["score"],
        answered_at_ms=row["answered_at_ms"],
        time_decides=row["time_decides"],
    )


async def standings(pool: Pool, quiz_session_id: QuizSessionId) -> list[Row]:
    """The whole leaderboard as the ledger has it, in order: what the cache must equal."""
    rows = await pool.fetch(sql("standings"), quiz_session_id)
    return [Row(row["rank"], ParticipantId(row["id"]), row["name"], row["score"]) for row in rows]


async def ledger_standings(pool: Pool, quiz_session_id: QuizSessionId) -> dict[ParticipantId, Standing]:
    """What the board's order is made of, as the ledger has it."""
    rows = await pool.fetch(sql("standings"), quiz_session_id)
    return {ParticipantId(row["id"]): Standing(row["name"], row["score"], row["reached_ms"]) for row in rows}
