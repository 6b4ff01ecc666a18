"""Quiz sessions and who takes part in them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, cast

import msgspec

from tiebreak.database.live_games import begin_game
from tiebreak.database.lobbies import enter_lobbies
from tiebreak.database.pool import Pool, Record
from tiebreak.database.queries import sql
from tiebreak.database.quizzes import StoredQuestion, stored_questions
from tiebreak.errors import Refusal
from tiebreak.ids import new_id
from tiebreak.quiz.live import Game
from tiebreak.quiz.lobby import DRAWN_FROM, DRAWS, Newcomer, Wish, wish_of
from tiebreak.quiz.model import ParticipantId, QuizId, QuizSessionId, UserId
from tiebreak.quiz.options import Options, RecordedOptions
from tiebreak.quiz.ranking import opened_at_ms
from tiebreak.quiz.scoring import POLICY_VERSION
from tiebreak.quiz.shuffling import shuffled

Mode = Literal["self_paced", "live"]
State = Literal["open", "finished"]

PIN_DIGITS = 6


class QuizSession(msgspec.Struct, frozen=True):
    """One run of a quiz."""

    id: QuizSessionId
    host_id: UserId
    title: str
    language: str
    pin: str
    mode: Mode
    state: State
    opened_at: datetime
    closed_at: datetime | None
    options: RecordedOptions | None = None  # of a live session


class SessionCounts(msgspec.Struct, frozen=True):
    """How much there is in a session. Counting costs time with its size; ask only where it is shown."""

    question_count: int
    participant_count: int
    answer_count: int


class SessionNews(msgspec.Struct, frozen=True):
    """What a room is told when somebody joined or the session ended."""

    id: QuizSessionId
    state: State
    participant_count: int
    newest: Sequence[str] | None = None


class Participant(msgspec.Struct, frozen=True):
    """A user in a quiz session, under the name chosen for it. `is_back`: had been removed, and has joined again."""

    id: ParticipantId
    name: str
    team: str | None = None
    is_back: bool = False


class Join(msgspec.Struct, frozen=True):
    """A user on the way into a quiz session, under `name` or else the user's own.

    `id` is the participant's, whatever becomes of the statement: it tells our own retry from having joined before.
    `team`: by index or name, where there are teams.
    """

    id: ParticipantId
    quiz_session_id: QuizSessionId
    user_id: UserId
    name: str | None
    team: int | str | None = None


async def open_session(
    pool: Pool, host_id: UserId, quiz_id: QuizId, options: Options | None = None
) -> tuple[QuizSessionId, str] | None:
    """Open a session with the quiz's questions as they are now; its id and PIN. None if there is no such quiz.

    With `options` it is a live one, and its game is in the lobby. A session opens at the moment within its id, so that
    consumers of events know it too.
    """
    while True:
        quiz_session_id = QuizSessionId(new_id())
        pin = new_pin()
        async with pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(sql("lock_quiz"), quiz_id) is None:
                return None
            opened = opened_at_ms(quiz_session_id)
            if await connection.fetchval(
                sql("insert_quiz_session"),
                quiz_session_id,
                quiz_id,
                host_id,
                pin,
                "live" if options else "self_paced",
                options.scoring if options else "accuracy",
                opened,
                recorded(options) if options else "{}",
            ):
                await connection.execute(sql("freeze_questions"), quiz_session_id, quiz_id)
                if options:
                    await begin_game(connection, quiz_session_id, Game(auto_advance=options.auto_advance))
                return quiz_session_id, pin


def recorded(options: Options) -> str:
    """The options as JSON, with the version of the formulas that we score by."""
    return msgspec.json.encode({**msgspec.to_builtins(options), "scoring_version": POLICY_VERSION}).decode()


def new_pin() -> str:
    """Six digits that cannot be foretold."""
    return f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}}"


async def load_session(pool: Pool, quiz_session_id: QuizSessionId) -> QuizSession | None:
    """A session."""
    row = await pool.fetchrow(sql("quiz_session"), quiz_session_id)
    return session_of(row) if row else None


def session_of(row: Record) -> QuizSession:
    """A session of its row."""
    fields: dict[str, Any] = {**row}
    fields["options"] = msgspec.json.decode(row["options"], type=RecordedOptions) if row["mode"] == "live" else None
    return QuizSession(**fields)


async def sessions_of_host(pool: Pool, host_id: UserId) -> list[QuizSession]:
    """The host's latest sessions, open ones first."""
    return [session_of(row) for row in await pool.fetch(sql("quiz_sessions_of_host"), host_id)]


async def count_sessions(pool: Pool, sessions: Sequence[QuizSession]) -> list[SessionCounts]:
    """The counts of each, in the same order."""
    rows = await pool.fetch(sql("session_counts"), [session.id for session in sessions])
    return [SessionCounts(**row) for row in rows]


async def session_news(
    pool: Pool,
    quiz_session_ids: Collection[QuizSessionId],
    *,
    with_newest: Collection[QuizSessionId] = (),
    newest: int = 0,
) -> list[SessionNews]:
    """What rooms are told, in any order; of live ones that are in `with_newest`, the names of the last who joined."""
    if not quiz_session_ids:
        return []
    rows = await pool.fetch(sql("session_news"), list(quiz_session_ids), list(with_newest), newest)
    return [SessionNews(**row) for row in rows]


async def sessions_with_boards(pool: Pool, *, live_seconds: float, kept_seconds: float) -> list[QuizSessionId]:
    """Those that opened within `live_seconds` and are not finished, or not longer ago than that. The latest first."""
    rows = await pool.fetch(sql("sessions_with_boards"), live_seconds, kept_seconds)
    return [QuizSessionId(row["id"]) for row in rows]


async def session_by_pin(pool: Pool, pin: str) -> QuizSessionId | None:
    """The open session with this PIN."""
    return cast(QuizSessionId | None, await pool.fetchval(sql("quiz_session_by_pin"), pin))


async def finish_session(pool: Pool, quiz_session_id: QuizSessionId) -> bool:
    """End a session for good. True if it was open; idempotent."""
    return await pool.fetchval(sql("finish_quiz_session"), quiz_session_id) is not None


async def session_questions(pool: Pool, quiz_session_id: QuizSessionId) -> tuple[StoredQuestion, ...]:
    """The questions frozen when the session opened, with their keys; none if there is no such session.

    Choices are in the order that the session has them in.
    """
    rows = await pool.fetch(sql("session_questions"), quiz_session_id)
    stored = stored_questions(rows)
    if not rows or not rows[0]["is_shuffled"]:
        return stored
    return tuple(StoredQuestion(it.id, shuffled(it.question, it.id, quiz_session_id)) for it in stored)


async def join_sessions(pool: Pool, joins: Sequence[Join]) -> list[Participant | Refusal]:
    """Take users into sessions; their outcomes, in the same order. Self-paced ones in one commit, live ones in another.

    The unique constraint decides between two requests of one user, in one batch or in many; names are unique in live
    sessions only. Idempotent by `id`, but for who comes back to a live session (lobbies.py).
    """
    rows = await pool.fetch(
        sql("join_sessions"),
        [join.id for join in joins],
        [join.quiz_session_id for join in joins],
        [join.user_id for join in joins],
        [join.name for join in joins],
        [join.team is not None for join in joins],
    )
    outcomes: list[Participant | Refusal] = [Refusal.SESSION_NOT_FOUND_FOR_JOIN] * len(joins)
    refused: list[int] = []
    live: dict[int, Record] = {}
    for row in rows:
        place: int = row["place"] - 1
        if row["new"]:
            outcomes[place] = Participant(joins[place].id, row["name"])
        elif row["options"] is not None and row["is_user"]:
            live[place] = row
        else:
            refused.append(place)
            outcomes[place] = refusal_of(joins[place], row)
    if live:
        for place, outcome in zip(live, await join_live_sessions(pool, joins, live), strict=True):
            outcomes[place] = outcome
    if refused:
        # A statement of its own: it sees what a competing transaction has committed in between.
        earlier = await pool.fetch(
            sql("participants"),
            [joins[place].quiz_session_id for place in refused],
            [joins[place].user_id for place in refused],
        )
        for found in earlier:
            at: int = found["place"] - 1
            ours = found["id"] == joins[refused[at]].id
            outcomes[refused[at]] = Participant(found["id"], found["name"]) if ours else Refusal.ALREADY_JOINED
    return outcomes


def refusal_of(join: Join, row: Record) -> Refusal:
    """Why a self-paced session did not take somebody in who had not joined before."""
    if row["state"] == "finished":
        return Refusal.SESSION_FINISHED
    return Refusal.TEAM_UNKNOWN if row["is_user"] and join.team is not None else Refusal.USER_UNKNOWN


async def join_live_sessions(
    pool: Pool, joins: Sequence[Join], live: Mapping[int, Record]
) -> list[Participant | Refusal]:
    """Those of the joins, by place, that are of live sessions."""
    # Filtering a hundred names takes 20 ms, and others answer meanwhile.
    newcomers = await asyncio.to_thread(lambda: [newcomer_of(joins[place], row) for place, row in live.items()])
    outcomes: list[Participant | Refusal] = []
    for newcomer, entry in zip(newcomers, await enter_lobbies(pool, newcomers), strict=True):
        if isinstance(entry, Refusal):
            outcomes.append(entry)
        else:
            teams = newcomer.wish.teams if isinstance(newcomer.wish, Wish) else ()
            team = teams[entry.team] if entry.team is not None and entry.team < len(teams) else None
            outcomes.append(Participant(entry.id, entry.name, team, entry.is_back))
    return outcomes


def newcomer_of(join: Join, row: Record) -> Newcomer:
    options = msgspec.json.decode(row["options"], type=RecordedOptions)
    draws = [secrets.randbelow(DRAWN_FROM) for _ in range(DRAWS)]
    wish = wish_of(options, row["language"], name=row["name"], team=join.team, draws=draws)
    return Newcomer(join.id, join.quiz_session_id, join.user_id, wish)


async def find_participant(pool: Pool, quiz_session_id: QuizSessionId, user_id: UserId) -> Participant | None:
    """The user's place in a session, if joined."""
    row = await pool.fetchrow(sql("participant"), quiz_session_id, user_id)
    return Participant(**row) if row else None
