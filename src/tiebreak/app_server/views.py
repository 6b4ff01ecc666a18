"""What callers are shown of stored things. The answer key leaves through one place: here, and only where said."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict

import msgspec

from tiebreak.app_server.epoch_ms import epoch_ms
from tiebreak.database.answers import GivenAnswer
from tiebreak.database.quiz_sessions import Mode, QuizSession, SessionCounts, State
from tiebreak.database.quizzes import StoredQuestion
from tiebreak.quiz.model import (
    ChoosingQuestion,
    NumericQuestion,
    ParticipantId,
    Question,
    QuestionId,
    QuestionImage,
    QuizSessionId,
    Submission,
    UnkeyedQuestion,
)
from tiebreak.quiz.options import NameRule, Options, Phones

# An index, indexes, a bool, a number, or the accepted strings; None where nothing is right or wrong.
Key: TypeAlias = bool | int | float | list[int | str] | None
# Left out where there is none, so that what has no use for it reads what it always did.
OptionalImage: TypeAlias = QuestionImage | msgspec.UnsetType
# That there is an explanation may be known before: who answered right need not ask in vain.
Explained: TypeAlias = Literal[True] | msgspec.UnsetType
OptionalText: TypeAlias = str | msgspec.UnsetType
OptionalNumber: TypeAlias = int | float | msgspec.UnsetType


class QuestionView(msgspec.Struct, frozen=True):
    """A question with its key: for the quiz's owner and the session's host."""

    question_id: QuestionId
    type: str
    prompt: str
    choices: list[str] | None
    answer: Key
    points: int
    time_limit_ms: int | None
    image: OptionalImage = msgspec.UNSET
    explained: Explained = msgspec.UNSET
    explanation: OptionalText = msgspec.UNSET
    tolerance: OptionalNumber = msgspec.UNSET


class Answered(msgspec.Struct, frozen=True):
    """What a participant answered, and now that it is given, what was right.

    In a live session only once the question is shut; null until then.
    """

    answer: Submission
    correct: bool | None
    score: int | None
    right_answer: Key
    explanation: OptionalText = msgspec.UNSET
    tolerance: OptionalNumber = msgspec.UNSET


class SessionQuestionView(msgspec.Struct, frozen=True):
    """A question in a session. `answer`, the key, and what betrays it are there for the host only."""

    question_id: QuestionId
    type: str
    prompt: str
    choices: list[str] | None
    points: int
    time_limit_ms: int | None
    answered: Answered | None
    answer: Key | msgspec.UnsetType = msgspec.UNSET
    image: OptionalImage = msgspec.UNSET
    explained: Explained = msgspec.UNSET
    explanation: OptionalText = msgspec.UNSET
    tolerance: OptionalNumber = msgspec.UNSET


class Me(msgspec.Struct, frozen=True):
    """The caller, as participant."""

    quiz_session_participant_id: ParticipantId
    name: str


class SessionQuestions(msgspec.Struct, frozen=True):
    """The questions of a session: with keys for the host, without for participants."""

    quiz_session_id: QuizSessionId
    title: str
    language: str
    state: State
    me: Me | None
    questions: list[SessionQuestionView]


class LiveFacts(msgspec.Struct, frozen=True):
    """What a phone has to know before it joins a live session."""

    names: NameRule
    teams: list[str]
    phones: Phones


class SessionView(msgspec.Struct, frozen=True):
    """What anybody may know of a session. No PIN once it is finished: another session may have it by then."""

    quiz_session_id: QuizSessionId
    title: str
    language: str
    mode: Mode
    state: State
    pin: str | None
    question_count: int
    participant_count: int
    answer_count: int
    opened_at: int
    closed_at: int | None
    live: LiveFacts | None


def question_view(stored: StoredQuestion) -> QuestionView:
    return QuestionView(answer=key_of(stored), **shown(stored), **told_with_key(stored))


def host_question_view(stored: StoredQuestion) -> SessionQuestionView:
    return SessionQuestionView(answered=None, answer=key_of(stored), **shown(stored), **told_with_key(stored))


def player_question_view(stored: StoredQuestion, given: GivenAnswer | None, *, is_shut: bool) -> SessionQuestionView:
    answered = None
    if given and is_shut:
        answered = Answered(given.answer, given.correct, given.score, key_of(stored), **told_with_key(stored))
    elif given:
        answered = Answered(given.answer, None, None, None)
    return SessionQuestionView(answered=answered, **shown(stored))


class Shown(TypedDict):
    """What everybody sees of a question."""

    question_id: QuestionId
    type: str
    prompt: str
    choices: list[str] | None
    points: int
    time_limit_ms: int | None
    image: OptionalImage
    explained: Explained


class ToldWithKey(TypedDict):
    """What betrays the key, beside it."""

    explanation: OptionalText
    tolerance: OptionalNumber


def shown(stored: StoredQuestion) -> Shown:
    question = stored.question
    return Shown(
        question_id=stored.id,
        type=type_of(question),
        prompt=question.prompt,
        choices=choices_of(question),
        points=question.points,
        time_limit_ms=question.time_limit_ms,
        image=question.image or msgspec.UNSET,
        explained=True if question.explanation else msgspec.UNSET,
    )


def type_of(question: Question) -> str:
    """The word for its type on the wire."""
    return str(question.__struct_config__.tag)


def choices_of(question: Question) -> list[str] | None:
    return question.choices if isinstance(question, ChoosingQuestion) else None


def told_with_key(stored: StoredQuestion) -> ToldWithKey:
    question = stored.question
    return ToldWithKey(
        explanation=question.explanation or msgspec.UNSET,
        tolerance=question.tolerance if isinstance(question, NumericQuestion) else msgspec.UNSET,
    )


def key_of(stored: StoredQuestion) -> Key:
    question = stored.question
    if isinstance(question, UnkeyedQuestion):
        return None
    return [*question.answer] if isinstance(question.answer, list) else question.answer


def live_facts(options: Options) -> LiveFacts:
    return LiveFacts(options.names, options.teams, options.phones)


def session_view(session: QuizSession, counts: SessionCounts) -> SessionView:
    return SessionView(
        quiz_session_id=session.id,
        title=session.title,
        language=session.language,
        mode=session.mode,
        state=session.state,
        pin=session.pin if session.state == "open" else None,
        question_count=counts.question_count,
        participant_count=counts.participant_count,
        answer_count=counts.answer_count,
        opened_at=epoch_ms(session.opened_at),
        closed_at=epoch_ms(session.closed_at) if session.closed_at else None,
        live=live_facts(session.options) if session.options else None,
    )
