"""Quizzes: written, changed and read by their owner only."""

from __future__ import annotations

import msgspec
from litestar import delete, get, post, put

from tiebreak.app_server.callers import identity_of
from tiebreak.app_server.epoch_ms import epoch_ms
from tiebreak.app_server.routes.path_ids import quiz_id_of
from tiebreak.app_server.views import QuestionView, question_view
from tiebreak.database import quizzes
from tiebreak.database.images import missing_images
from tiebreak.database.pool import Pool
from tiebreak.errors import Refusal, Refused
from tiebreak.http_edge.bodies import StrictRequest
from tiebreak.http_edge.description import FACTS, Facts
from tiebreak.quiz.model import QuestionId, Quiz, QuizId, UserId


class QuizStored(msgspec.Struct, frozen=True):
    """A quiz was stored; its questions' ids in order."""

    quiz_id: QuizId
    question_ids: list[QuestionId]


class QuizLine(msgspec.Struct, frozen=True):
    """A quiz in a list."""

    quiz_id: QuizId
    title: str
    language: str
    question_count: int
    created_at: int
    updated_at: int


class QuizList(msgspec.Struct, frozen=True):
    """The caller's quizzes, the one changed last first."""

    quizzes: list[QuizLine]


class QuizView(msgspec.Struct, frozen=True):
    """A quiz with its answer keys, for its owner."""

    quiz_id: QuizId
    title: str
    language: str
    created_at: int
    updated_at: int
    questions: list[QuestionView]


WRITTEN = Facts((Refusal.IMAGE_NOT_FOUND_FOR_QUIZ,))
REWRITTEN = Facts((Refusal.QUIZ_NOT_FOUND, Refusal.NOT_THE_OWNER, Refusal.IMAGE_NOT_FOUND_FOR_QUIZ))
OF_OWNER = Facts((Refusal.QUIZ_NOT_FOUND, Refusal.NOT_THE_OWNER))


@post("/quizzes", status_code=201, opt={FACTS: WRITTEN})
async def create_quiz(request: StrictRequest, data: Quiz, pool: Pool) -> QuizStored:
    """Store a new quiz. Its images are the caller's own, stored before."""
    owner_id = identity_of(request).user_id
    await check_images(pool, owner_id, data)
    return QuizStored(*await quizzes.create_quiz(pool, owner_id, data))


@get("/quizzes", opt={FACTS: Facts()})
async def list_quizzes(request: StrictRequest, pool: Pool) -> QuizList:
    """The caller's quizzes."""
    return QuizList(
        [
            QuizLine(
                quiz_id=quiz.id,
                title=quiz.title,
                language=quiz.language,
                question_count=quiz.question_count,
                created_at=epoch_ms(quiz.created_at),
                updated_at=epoch_ms(quiz.updated_at),
            )
            for quiz in await quizzes.quizzes_of(pool, identity_of(request).user_id)
        ]
    )


@get("/quizzes/{quiz_id:str}", opt={FACTS: OF_OWNER})
async def show_quiz(request: StrictRequest, quiz_id: str, pool: Pool) -> QuizView:
    """A quiz with its answer keys."""
    quiz = await quizzes.load_quiz(pool, await owned(pool, request, quiz_id))
    if quiz is None:
        raise Refused(Refusal.QUIZ_NOT_FOUND)
    return QuizView(
        quiz_id=quiz.id,
        title=quiz.title,
        language=quiz.language,
        created_at=epoch_ms(quiz.created_at),
        updated_at=epoch_ms(quiz.updated_at),
        questions=[question_view(stored) for stored in quiz.questions],
    )


@put("/quizzes/{quiz_id:str}", opt={FACTS: REWRITTEN})
async def replace_quiz(request: StrictRequest, quiz_id: str, data: Quiz, pool: Pool) -> QuizStored:
    """Give a quiz new content. Sessions under way keep the questions they opened with."""
    found = await owned(pool, request, quiz_id)
    owner_id = identity_of(request).user_id
    await check_images(pool, owner_id, data)
    question_ids = await quizzes.replace_quiz(pool, owner_id, found, data)
    if question_ids is None:
        raise Refused(Refusal.QUIZ_NOT_FOUND)
    return QuizStored(found, question_ids)


@delete("/quizzes/{quiz_id:str}", opt={FACTS: OF_OWNER})
async def remove_quiz(request: StrictRequest, quiz_id: str, pool: Pool) -> None:
    """Remove a quiz. Its sessions stay."""
    await quizzes.delete_quiz(pool, await owned(pool, request, quiz_id))


async def check_images(pool: Pool, owner_id: UserId, quiz: Quiz) -> None:
    """Raises Refused(IMAGE_NOT_FOUND_FOR_QUIZ) unless every image is the owner's."""
    named = {question.image.image_id for question in quiz.questions if question.image}
    if missing := await missing_images(pool, owner_id, named):
        raise Refused(Refusal.IMAGE_NOT_FOUND_FOR_QUIZ, f"Not among your images: {missing[0]}.")


async def owned(pool: Pool, request: StrictRequest, quiz_id: str) -> QuizId:
    """The id of a quiz that is the caller's. Raises Refused."""
    found = quiz_id_of(quiz_id)
    match await quizzes.quiz_owner(pool, found):
        case None:
            raise Refused(Refusal.QUIZ_NOT_FOUND)
        case owner if owner != identity_of(request).user_id:
            raise Refused(Refusal.NOT_THE_OWNER)
        case _:
            return found
