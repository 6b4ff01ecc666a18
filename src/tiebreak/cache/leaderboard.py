"""Boards in Redis: one Lua call applies a batch of a session's answers, one reads a part of a board."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from importlib.resources import files
from typing import Any
from uuid import UUID

import msgspec
import structlog

from tiebreak.cache.keys import KEPT_SECONDS, LIVE_SECONDS, board_keys
from tiebreak.events import ScoreChange
from tiebreak.quiz.model import ParticipantId, QuizSessionId
from tiebreak.quiz.ranking import MS_SPAN, Leaderboard, Row, opened_at_ms, reached_ms
from tiebreak.redis_client import Redis, ResponseError, Script, ScriptCall

log = structlog.get_logger()

MAX_ROWS = 1_000
TOP_ROWS = 10
# Errors that are the board's or the batch's own, not Redis's.
BOARD_IS_WRONG = ("WRONGTYPE", "user_script:")


class Applied(msgspec.Struct, frozen=True):
    """What a batch did: `new` of its answers had not been on the board before."""

    epoch: str
    version: int
    new: int


class Unapplied(msgspec.Struct, frozen=True):
    """A batch that this board cannot take, while Redis itself is well."""

    reason: str


class Leaderboards:
    """All sessions' boards."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._apply = Script(lua("apply.lua"))
        self._read = Script(lua("read.lua"))

    async def apply(
        self, batches: Mapping[QuizSessionId, Sequence[ScoreChange]]
    ) -> dict[QuizSessionId, Applied | Unapplied]:
        """Put answers on the boards of their sessions, each answer once however often it is given.

        One Lua call per session, all in one round trip. Each session's batch takes effect whole or not at all;
        one board that cannot take its batch does not hold up the others. After an error of Redis itself, which is
        raised, the whole call may be repeated.
        """
        calls = [
            ScriptCall(
                board_keys(quiz_session_id),
                [secrets.token_hex(8), LIVE_SECONDS, *apply_arguments(quiz_session_id, changes)],
            )
            for quiz_session_id, changes in batches.items()
        ]
        replies = await self._apply.call_all(self._redis, calls)
        return {session: applied(reply) for session, reply in zip(batches, replies, strict=True)}

    async def read(
        self,
        quiz_session_id: QuizSessionId,
        *,
        limit: int = TOP_ROWS,
        offset: int = 0,
        me: ParticipantId | None = None,
        around_me: bool = False,
    ) -> Leaderboard | None:
        """`limit` rows from `offset` (or around `me`), and the row of `me`; None if there is no board."""
        arguments = (offset, limit, str(me or ""), "1" if around_me else "0")
        reply = await self._read.call(self._redis, board_keys(quiz_session_id), arguments)
        return leaderboard_of(quiz_session_id, reply)

    async def tops(self, quiz_session_ids: Collection[QuizSessionId]) -> dict[QuizSessionId, Leaderboard | None]:
        """The first TOP_ROWS rows of each board, all in one round trip; None if there is none, or none to be read."""
        calls = [
            ScriptCall(board_keys(quiz_session_id), [0, TOP_ROWS, "", "0"]) for quiz_session_id in quiz_session_ids
        ]
        replies = await self._read.call_all(self._redis, calls)
        return {session: top_of(session, reply) for session, reply in zip(quiz_session_ids, replies, strict=True)}

    async def expire(self, quiz_session_id: QuizSessionId) -> None:
        """The session has ended: its board is kept for KEPT_SECONDS more."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for key in board_keys(quiz_session_id):
                pipe.expire(key, KEPT_SECONDS)
            await pipe.execute()


def applied(reply: list[Any] | Exception) -> Applied | Unapplied:
    """What apply.lua answered. Raises what wrong() does."""
    if isinstance(reply, Exception):
        return Unapplied(wrong(reply))
    epoch, version, new = reply
    return Applied(epoch.decode(), version, new)


def top_of(quiz_session_id: QuizSessionId, reply: list[Any] | Exception) -> Leaderboard | None:
    """What read.lua answered for one of many boards: one that is wrong does not hold up the others.

    Raises what wrong() does.
    """
    if isinstance(reply, Exception):
        log.error("board.unreadable", quiz_session_id=str(quiz_session_id), error=wrong(reply))
        return None
    return leaderboard_of(quiz_session_id, reply)


def wrong(error: Exception) -> str:
    """What is wrong with a board. Raises what Redis says of itself: gone, full, loading, read-only."""
    if isinstance(error, ResponseError) and str(error).startswith(BOARD_IS_WRONG):
        return str(error)
    raise error


def leaderboard_of(quiz_session_id: QuizSessionId, reply: list[Any]) -> Leaderboard | None:
    """What read.lua answered, in our words."""
    epoch, version, participants, first_place, first_rank, cells, mine = reply
    if epoch is None:
        return None
    return Leaderboard(
        quiz_session_id=quiz_session_id,
        epoch=epoch.decode(),
        version=version,
        participants=participants,
        rows=rows_of(cells, first_place, first_rank),
        me=row_of(mine[0], *mine[1:]) if mine else None,
    )


def apply_arguments(quiz_session_id: QuizSessionId, changes: Sequence[ScoreChange]) -> list[str | int]:
    """The answers as apply.lua expects them, five arguments each."""
    opened = opened_at_ms(quiz_session_id)
    arguments: list[str | int] = []
    for change in changes:
        arguments += (
            str(change.participant_answer_id),
            str(change.quiz_session_participant_id),
            change.name,
            change.score,
            reached_ms(opened, change.answered_at_ms),
        )
    return arguments


def rows_of(cells: Sequence[bytes], first_place: int, first_rank: int) -> tuple[Row, ...]:
    """Rows from read.lua's id, standing, name, id, …; those who are level with the one above share its rank."""
    rows: list[Row] = []
    above: bytes | None = None
    for place, start in enumerate(range(0, len(cells), 3), start=first_place + 1):
        participant, standing, name = cells[start : start + 3]
        rank = first_rank if above is None else rows[-1].rank if standing == above else place
        rows.append(row_of(rank, participant, standing, name))
        above = standing
    return tuple(rows)


def row_of(rank: int, participant: bytes, standing: bytes, name: bytes) -> Row:
    return Row(rank, ParticipantId(UUID(participant.decode())), name.decode(), int(float(standing)) // MS_SPAN)


def lua(name: str) -> str:
    return files("tiebreak.cache").joinpath(name).read_text(encoding="utf-8")
