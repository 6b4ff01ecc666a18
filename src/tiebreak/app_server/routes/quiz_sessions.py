"""Quiz sessions: opened and finished by their host, joined and played by participants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from litestar import get, post
from litestar.params import Parameter
from msgspec import Meta

from tiebreak.app_server.callers import identity_of
from tiebreak.app_server.commands import Joins
from tiebreak.app_server.frozen_questions import FrozenQuestions
from tiebreak.app_server.join_limit import JoinLimit
from tiebreak.app_server.live.conductor import Conductor
from tiebreak.app_server.routes.path_ids import session_id_of
from tiebreak.app_server.session_counts import CountedSessions
from tiebreak.app_server.session_ends import SessionEnds
from tiebreak.app_server.views import (
    Me,
    SessionQuestions,
    SessionView,
    host_question_view,
    player_question_view,
    session_view,
)
from tiebreak.boards.reading import Boards
from tiebreak.cache.leaderboard import MAX_ROWS, TOP_ROWS
from tiebreak.cache.limits import MissLimit
from tiebreak.database import quiz_sessions
from tiebreak.database.answers import answers_of
from tiebreak.database.live_games import windows_of
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import Mode, QuizSession
from tiebreak.database.quizzes import StoredQuestion, quiz_owner
from tiebreak.database.session_hosts import is_host
from tiebreak.errors import Refusal, Refused
from tiebreak.http_edge.addresses import counted_address_of
from tiebreak.http_edge.bodies import StrictRequest
from tiebreak.http_edge.description import FACTS, Facts
from tiebreak.quiz.model import MAX_NAME, Name, ParticipantId, QuizId, QuizSessionId
from tiebreak.quiz.options import MAX_TEAMS, Options
from tiebreak.quiz.ranking import Leaderboard
from tiebreak.text import clean_line

PIN_SCHEMA = {"type": "string", "pattern": "^[0-9]{6}$"}
Pin = Annotated[str, Meta(extra_json_schema=PIN_SCHEMA)]
TeamChoice = Annotated[int, Meta(ge=0, lt=MAX_TEAMS)] | Annotated[str, Meta(max_length=MAX_NAME)]


class OpenRequest(Options, forbid_unknown_fields=True, kw_only=True):
    """Which quiz to run, and how; everything but these two is for live sessions."""

    quiz_id: QuizId
    mode: Mode

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode == "self_paced" and self.options() != Options():
            raise ValueError("A self-paced session takes no options")

    def options(self) -> Options:
        """The live session's."""
        return msgspec.convert(self, Options, from_attributes=True)


class Opened(msgspec.Struct, frozen=True):
    """A session that players can join by its PIN."""

    quiz_session_id: QuizSessionId
    pin: Pin


class JoinRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The name to play under; the user's own if left out. The team, by index or by name; the smallest if left out."""

    name: Name | None = None
    team: TeamChoice | None = None

    def __post_init__(self) -> None:
        if self.name is not None:
            self.name = clean_line(self.name, longest=MAX_NAME, what="The name")


class Joined(msgspec.Struct, frozen=True, omit_defaults=True):
    """The caller's place in the session; a team where there are teams. The name may be one that the session gives."""

    quiz_session_participant_id: ParticipantId
    quiz_session_id: QuizSessionId
    name: str
    team: str | None = None


class Finished(msgspec.Struct, frozen=True):
    """The session has ended."""

    quiz_session_id: QuizSessionId
    state: Literal["finished"] = "finished"


class SessionList(msgspec.Struct, frozen=True):
    """The caller's latest sessions as host or co-host, open ones first."""

    quiz_sessions: list[SessionView]


class Found(msgspec.Struct, frozen=True):
    """The session of a PIN."""

    quiz_session_id: QuizSessionId


@post("/quiz-session", status_code=201, opt={FACTS: Facts((Refusal.QUIZ_NOT_FOUND, Refusal.NOT_THE_OWNER))})
async def open_session(request: StrictRequest, data: OpenRequest, pool: Pool, boards: Boards) -> Opened:
    """Open a session of one's own quiz, with its questions as they are now."""
    host_id = identity_of(request).user_id
    if await quiz_owner(pool, data.quiz_id) not in {host_id, None}:
        raise Refused(Refusal.NOT_THE_OWNER)
    options = data.options() if data.mode == "live" else None
    opened = await quiz_sessions.open_session(pool, host_id, data.quiz_id, options)
    if opened is None:
        raise Refused(Refusal.QUIZ_NOT_FOUND)
    await boards.open(opened[0])
    return Opened(*opened)


@get("/quiz-session", opt={FACTS: Facts()})
async def list_sessions(request: StrictRequest, pool: Pool, counted_sessions: CountedSessions) -> SessionList:
    """The caller's sessions as host or co-host."""
    sessions = await quiz_sessions.sessions_of_host(pool, identity_of(request).user_id)
    return SessionList(await session_views(counted_sessions, sessions))


@get("/quiz-session/{quiz_session_id:str}", opt={FACTS: Facts((Refusal.SESSION_NOT_FOUND,))})
async def show_session(quiz_session_id: str, pool: Pool, counted_sessions: CountedSessions) -> SessionView:
    """Title, state and counts, these as they were about a second ago: public."""
    [view] = await session_views(counted_sessions, [await existing(pool, session_id_of(quiz_session_id))])
    return view


@get(
    "/pin/{pin:str}",
    opt={FACTS: Facts((Refusal.PIN_NOT_FOUND, Refusal.TOO_MANY_TRIES), path={"pin": PIN_SCHEMA})},
)
async def find_by_pin(request: StrictRequest, pin: str, pool: Pool, pin_misses: MissLimit) -> Found:
    """The open session of a PIN: public, and limited against guessing by counting misses."""
    address = counted_address_of(request)
    if seconds := await pin_misses.exhausted(address):
        raise Refused(Refusal.TOO_MANY_TRIES, retry_after_seconds=seconds)
    found = await quiz_sessions.session_by_pin(pool, pin) if pin.isascii() and pin.isdigit() else None
    # Others of the address may have missed meanwhile: sent at once, no more are told than one after the other.
    if seconds := pin_misses.exhausted_here(address):
        raise Refused(Refusal.TOO_MANY_TRIES, retry_after_seconds=seconds)
    if found is None:
        await pin_misses.miss(address)
        raise Refused(Refusal.PIN_NOT_FOUND)
    return Found(found)


@post(
    "/quiz-session/{quiz_session_id:str}/finish",
    status_code=200,
    opt={FACTS: Facts((Refusal.SESSION_NOT_FOUND, Refusal.NOT_THE_HOST))},
)
async def finish_session(
    request: StrictRequest,
    quiz_session_id: str,
    pool: Pool,
    conductor: Conductor,
    session_ends: SessionEnds,
) -> Finished:
    """End a session for good; may be repeated. Its board is kept, its answers for ever."""
    session = await existing(pool, session_id_of(quiz_session_id))
    if not await is_host(pool, session.id, identity_of(request).user_id):
        raise Refused(Refusal.NOT_THE_HOST)
    if session.options:
        await conductor.finish(session.id)
    ended_now = await quiz_sessions.finish_session(pool, session.id)
    # Also when it was finished before: that request may have been cut off here.
    await session_ends.ended(session.id, now=ended_now)
    return Finished(session.id)


@post("/quiz-session/join", status_code=200)
async def join_nothing() -> None:
    """The seed: a join that names no session is a 400."""
    raise Refused(Refusal.NOT_AN_ID, "The session's id is missing in the address.")


@post(
    "/quiz-session/{quiz_session_id:str}/join",
    status_code=200,
    opt={
        FACTS: Facts(
            (
                Refusal.SESSION_NOT_FOUND_FOR_JOIN,
                Refusal.SESSION_FINISHED,
                Refusal.ALREADY_JOINED,
                Refusal.USER_UNKNOWN,
                Refusal.HOSTS_DO_NOT_PLAY,
                Refusal.BANNED,
                Refusal.SESSION_LOCKED,
                Refusal.JOINING_CLOSED,
                Refusal.NAME_REFUSED,
                Refusal.NAME_TAKEN,
                Refusal.TEAM_UNKNOWN,
                Refusal.TOO_MANY_TRIES,
                Refusal.BUSY,
            )
        )
    },
)
async def join_session(
    request: StrictRequest,
    quiz_session_id: str,
    joins: Joins,
    join_limit: JoinLimit,
    boards: Boards,
    data: JoinRequest | None = None,
) -> Joined:
    """Take part. 409 if the caller has joined before. Who was removed from a live session may join again."""
    user_id = identity_of(request).user_id
    join_limit.count(user_id, counted_address_of(request))
    name, team = (data.name, data.team) if data else (None, None)
    session_id = session_id_of(quiz_session_id)
    joined = await joins.join(session_id, user_id, name, team)
    if isinstance(joined, Refusal):
        raise Refused(joined)
    if joined.is_back:
        # With the answers from before.
        await boards.renew(session_id)
    return Joined(joined.id, session_id, joined.name, joined.team)


@get(
    "/quiz-session/{quiz_session_id:str}/questions",
    opt={FACTS: Facts((Refusal.SESSION_NOT_FOUND, Refusal.NOT_JOINED))},
)
async def show_questions(
    request: StrictRequest, quiz_session_id: str, pool: Pool, questions: FrozenQuestions
) -> SessionQuestions:
    """For participants without the key, but for questions they have answered; for the host with it."""
    session = await existing(pool, session_id_of(quiz_session_id))
    user_id = identity_of(request).user_id
    stored = [StoredQuestion(id_, question) for id_, question in (await questions.of(session.id)).items()]
    participant = await quiz_sessions.find_participant(pool, session.id, user_id)
    if participant:
        given = {answer.question_id: answer for answer in await answers_of(pool, participant.id)}
        windows = await windows_of(pool, session.id) if session.options else None
        me = Me(participant.id, participant.name)
        views = [
            player_question_view(it, given.get(it.id), is_shut=windows is None or windows[it.id].shut_at_ms is not None)
            for it in stored
            if windows is None or it.id in windows
        ]
    elif await is_host(pool, session.id, user_id):
        me, views = None, [host_question_view(it) for it in stored]
    else:
        raise Refused(Refusal.NOT_JOINED)
    return SessionQuestions(session.id, session.title, session.language, session.state, me, views)


@get("/quiz-session/{quiz_session_id:str}/leaderboard", opt={FACTS: Facts((Refusal.SESSION_NOT_FOUND,))})
async def show_leaderboard(
    request: StrictRequest,
    quiz_session_id: str,
    pool: Pool,
    boards: Boards,
    limit: Annotated[int, Parameter(ge=1, le=MAX_ROWS)] = TOP_ROWS,
    offset: Annotated[int, Parameter(ge=0, le=1_000_000)] = 0,
    around: Literal["me"] | None = None,
) -> Leaderboard:
    """A part of the board as of one version, and the caller's own row."""
    if around is None and "around" in request.query_params:
        # Litestar takes the word "null" for None.
        raise Refused(Refusal.REQUEST_INVALID, "around: me is all that it may be.")
    session = await existing(pool, session_id_of(quiz_session_id))
    return await boards.read(
        session.id, identity_of(request).user_id, limit=limit, offset=offset, around_me=around == "me"
    )


async def existing(pool: Pool, quiz_session_id: QuizSessionId) -> QuizSession:
    """The session. Raises Refused(SESSION_NOT_FOUND)."""
    session = await quiz_sessions.load_session(pool, quiz_session_id)
    if session is None:
        raise Refused(Refusal.SESSION_NOT_FOUND)
    return session


async def session_views(counted_sessions: CountedSessions, sessions: Sequence[QuizSession]) -> list[SessionView]:
    """Sessions with their counts."""
    counts = await counted_sessions.of(sessions)
    return [session_view(*pair) for pair in zip(sessions, counts, strict=True)]
