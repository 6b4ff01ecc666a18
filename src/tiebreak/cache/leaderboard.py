"""Boards in Redis: one Lua call applies a batch of a session's answers, one reads a part of a board.

A board is *whole* when all answers are on it that were ever applied, or should have been; only whole boards are shown.
One that Redis has lost, in part or altogether, or that comes
from before Redis was started again, begins anew and is *partial* until the ledger has been put on it:

    begin   from now on what comes over the bus is on the new board
    fill    the ledger, read after that, in as many parts as it takes; with the last one the board is whole

In this order nothing is missed: an answer is in the ledger before it is on the bus.
"""

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
from tiebreak.quiz.ranking import MS_SPAN, Leaderboard, Row, Standing, opened_at_ms, reached_ms, standing_of
from tiebreak.redis_client import Redis, ResponseError, Script, ScriptCall

log = structlog.get_logger()

MAX_ROWS = 1_000
TOP_ROWS = 10
# Errors that are the board's or the batch's own, not Redis's.
BOARD_IS_WRONG = ("WRONGTYPE", "user_script:")


class Applied(msgspec.Struct, frozen=True):
    """What a batch did: `new` of its answers had not been on the board before. A partial board is shown to nobody."""

    epoch: str
    version: int
    new: int
    whole: bool


class Begun(msgspec.Struct, frozen=True):
    """A board that takes answers; it is to be filled unless it is whole."""

    epoch: str
    whole: bool


class Unapplied(msgspec.Struct, frozen=True):
    """A batch that this board cannot take, while Redis itself is well."""

    reason: str


class Leaderboards:
    """All sessions' boards."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._apply = Script(lua("life.lua", "board.lua", "apply.lua"))
        self._begin = Script(lua("life.lua", "board.lua", "begin.lua"))
        self._fill = Script(lua("life.lua", "board.lua", "fill.lua"))
        self._read = Script(lua("life.lua", "board.lua", "read.lua"))
        self._standings = Script(lua("life.lua", "board.lua", "standings.lua"))

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
                [new_epoch(), LIVE_SECONDS, *answer_arguments(quiz_session_id, changes)],
            )
            for quiz_session_id, changes in batches.items()
        ]
        replies = await self._apply.call_all(self._redis, calls)
        return {session: applied(reply) for session, reply in zip(batches, replies, strict=True)}

    async def begin(self, quiz_session_id: QuizSessionId, *, anew: bool = False) -> Begun:
        """Have a board, a new one where there is none to be trusted, or in any case if `anew`."""
        arguments = (new_epoch(), LIVE_SECONDS, int(anew))
        epoch, whole = await self._begin.call(self._redis, board_keys(quiz_session_id), arguments)
        return Begun(epoch.decode(), bool(whole))

    async def fill(
        self, quiz_session_id: QuizSessionId, epoch: str, answers: Sequence[ScoreChange], *, last: bool
    ) -> bool:
        """Put a part of the ledger on the board that `begin` began; False if it is not that one any more."""
        arguments = [epoch, LIVE_SECONDS, int(last), *answer_arguments(quiz_session_id, answers)]
        [filled] = await self._fill.call(self._redis, board_keys(quiz_session_id), arguments)
        return bool(filled)

    async def read(
        self,
        quiz_session_id: QuizSessionId,
        *,
        limit: int = TOP_ROWS,
        offset: int = 0,
        me: ParticipantId | None = None,
        around_me: bool = False,
    ) -> Leaderboard | None:
        """`limit` rows from `offset` (or around `me`), and the row of `me`; None if there is no whole board."""
        arguments = (offset, limit, str(me or ""), "1" if around_me else "0")
        reply = await self._read.call(self._redis, board_keys(quiz_session_id), arguments)
        return leaderboard_of(quiz_session_id, reply)

    async def tops(self, quiz_session_ids: Collection[QuizSessionId]) -> dict[QuizSessionId, Leaderboard | None]:
        """The first TOP_ROWS rows of each board, all in one round trip; None where there is no whole one."""
        calls = [
            ScriptCall(board_keys(quiz_session_id), [0, TOP_ROWS, "", "0"]) for quiz_session_id in quiz_session_ids
        ]
        replies = await self._read.call_all(self._redis, calls)
        return {session: top_of(session, reply) for session, reply in zip(quiz_session_ids, replies, strict=True)}

    async def standings(self, quiz_session_id: QuizSessionId) -> dict[ParticipantId, Standing] | None:
        """Everybody on the board, all as of one version; None if there is no whole board. O(participants)."""
        try:
            [whole, standings, names] = await self._standings.call(self._redis, board_keys(quiz_session_id), [])
        except ResponseError as error:
            log.error("board.unreadable", quiz_session_id=str(quiz_session_id), error=wrong(error))
            return None
        if not whole:
            return None
        name_of = dict(zip(names[::2], names[1::2], strict=True))
        return {
            ParticipantId(UUID(participant.decode())): standing_of(name_of[participant].decode(), int(float(standing)))
            for participant, standing in zip(standings[::2], standings[1::2], strict=True)
        }

    async def drop(self, quiz_session_id: QuizSessionId) -> None:
        """There is no such session."""
        await self._redis.unlink(*board_keys(quiz_session_id))

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
    epoch, version, new, whole = reply
    return Applied(epoch.decode(), version, new, bool(whole))


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


def answer_arguments(quiz_session_id: QuizSessionId, changes: Sequence[ScoreChange]) -> list[str | int]:
    """The answers as board.lua expects them, five arguments each."""
    opened = opened_at_ms(quiz_session_id)
    arguments: list[str | int] = []
    for change in changes:
        arguments += (
            str(change.participant_answer_id),
            str(change.quiz_session_participant_id),
            change.name,
            change.score,
            reached_ms(opened, change.answered_at_ms) if change.time_decides else 0,
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


def new_epoch() -> str:
    return secrets.token_hex(8)


def lua(*names: str) -> str:
    """The text of a script, of these files one after the other."""
    return "".join(files("tiebreak.cache").joinpath(name).read_text(encoding="utf-8") for name in names)
