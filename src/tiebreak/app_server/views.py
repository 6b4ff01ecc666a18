"""What callers are shown of stored things. The answer key leaves through one place: here, and only where said."""

from __future__ import annotations

from typing import TypedDict

import msgspec

from tiebreak.app_server.epoch_ms import epoch_ms
from tiebreak.database.answers import GivenAnswer
from tiebreak.database.quiz_sessions import Mode, QuizSession, SessionCounts, State
from tiebreak.database.quizzes import StoredQuestion
from tiebreak.quiz.model import (
    ChoiceQuestion,
    MultiChoiceQuestion,
    ParticipantId,
    QuestionId,
    QuizSessionId,
    Submission,
)
from tiebreak.quiz.options import NameRule, Options, Phones

# An index, indexes, a bool, or the accepted strings.
Key = bool | int | list[int | str]


class QuestionView(msgspec.Struct, frozen=True):
    """A question with its key: for the quiz's owner and the session's host."""

    question_id: QuestionId
    type: str
    prompt: str
    choices: list[str] | None
    answer: Key
    points: int
    time_limit_ms: int | None


class Answered(msgspec.Struct, frozen=True):
    """What a participant answered, and now that it is given, what was right.

    In a live session only once the question is shut; null until then.
    """

    answer: Submission
    correct: bool | None
    score: int | None
    right_answer: Key | None


class SessionQuestionView(msgspec.Struct, frozen=True):
    """A question in a session. `answer`, the key, is there for the host only."""

    question_id: QuestionId
    type: str
    prompt: str
    choices: list[str] | None
    points: int
    time_limit_ms: int | None
    answered: Answered | None
    answer: Key | msgspec.UnsetType = msgspec.UNSET


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
    return QuestionView(answer=key_of(stored), **shown(stored))


def host_question_view(stored: StoredQuestion) -> SessionQuestionView:
    return SessionQuestionView(answered=None, answer=key_of(stored), **shown(stored))


def player_question_view(stored: StoredQuestion, given: GivenAnswer | None, *, is_shut: bool) -> SessionQuestionView:
    answered = None
    if given and is_shut:
        answered = Answered(given.answer, given.correct, given.score, key_of(stored))
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


def shown(stored: StoredQuestion) -> Shown:
    question = stored.question
    return Shown(
        question_id=stored.id,
        type=str(question.__struct_config__.tag),
        prompt=question.prompt,
        choices=question.choices if isinstance(question, (ChoiceQuestion, MultiChoiceQuestion)) else None,
        points=question.points,
        time_limit_ms=question.time_limit_ms,
    )


def key_of(stored: StoredQuestion) -> Key:
    answer = stored.question.answer
    return [*answer] if isinstance(answer, list) else answer


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
