"""`tiebreak rebuild` and `tiebreak audit`: the same that app servers do by themselves, at an operator's word."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence, Sized
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec
from prometheus_client import CollectorRegistry
from rich.console import Console
from rich.progress import track

from tiebreak.boards.audit import Auditor, Difference
from tiebreak.boards.rebuild import Rebuilder
from tiebreak.cache.incarnation import Incarnations
from tiebreak.cache.keys import KEPT_SECONDS, LIVE_SECONDS
from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.clock import SystemClock
from tiebreak.database.pool import Pool, open_pool
from tiebreak.database.quiz_sessions import sessions_with_boards
from tiebreak.errors import NotInDatabase
from tiebreak.metrics import BoardMetrics
from tiebreak.quiz.model import QuizSessionId
from tiebreak.quiz.ranking import Standing
from tiebreak.redis_client import open_redis, when_it_answers
from tiebreak.settings import Settings, required
from tiebreak.socket_adapter.emitter import Emitter

SHOWN = 10

Item = TypeVar("Item")


class Tools(msgspec.Struct, frozen=True):
    """What the commands work with."""

    pool: Pool
    rebuilder: Rebuilder
    auditor: Auditor


@asynccontextmanager
async def opened_tools(settings: Settings) -> AsyncGenerator[Tools]:
    """Raises SettingsInvalid, DatabaseUnavailable, CacheUnavailable."""
    redis_url = required(settings.redis_url, "TIEBREAK_REDIS_URL")
    pool = await open_pool(required(settings.database_url, "TIEBREAK_DATABASE_URL"), size=1)
    redis = await open_redis(redis_url)
    try:
        await when_it_answers(Incarnations(redis).current, seconds=0)
        leaderboards = Leaderboards(redis)
        rebuilder = Rebuilder(pool, leaderboards, Emitter(redis), BoardMetrics(CollectorRegistry()))
        yield Tools(pool, rebuilder, Auditor(pool, leaderboards, SystemClock()))
    finally:
        await redis.aclose()
        await pool.close()


async def rebuild(settings: Settings, quiz_session_id: QuizSessionId | None) -> list[str]:
    """Build one board anew, or all; what to tell. Raises NotInDatabase."""
    async with opened_tools(settings) as tools:
        if quiz_session_id is not None:
            if not await tools.rebuilder.make_whole(quiz_session_id, anew=True):
                raise NotInDatabase(f"There is no quiz session {quiz_session_id}.")
            return ["built 1 board anew"]
        sessions = await sessions_with_boards(tools.pool, live_seconds=LIVE_SECONDS, kept_seconds=KEPT_SECONDS)
        for session in shown_progress(sessions, "building"):
            await tools.rebuilder.make_whole(session, anew=True)
        return [f"built {counted(sessions, 'board')} anew"]


async def audit(settings: Settings, *, repair: bool) -> tuple[list[str], bool]:
    """Compare every board with the ledger; what to tell, and whether all is well now."""
    async with opened_tools(settings) as tools:
        sessions = await sessions_with_boards(tools.pool, live_seconds=LIVE_SECONDS, kept_seconds=KEPT_SECONDS)
        found = await tools.auditor.audit(shown_progress(sessions, "comparing"))
        wrong = [*found.differing, *found.missing]
        if repair:
            for session in shown_progress(wrong, "building"):
                await tools.rebuilder.make_whole(session, anew=True)
    told = [line for session, differences in found.differing.items() for line in described(session, differences)]
    told.append(
        f"{counted(sessions, 'session')}: {counted(found.differing, 'board')} differing from the ledger, "
        f"{len(found.missing)} not in the cache"
    )
    if repair and wrong:
        told.append(f"built {counted(wrong, 'board')} anew")
    elif found.differing:
        told.append("build them anew with `tiebreak audit --repair`")
    return told, repair or not found.differing


def counted(items: Sized, word: str) -> str:
    """1 board, 2 boards."""
    return f"{len(items)} {word}{'' if len(items) == 1 else 's'}"


def described(quiz_session_id: QuizSessionId, differences: Sequence[Difference]) -> list[str]:
    """The first few differences, a line each."""
    lines = [f"{quiz_session_id}: {counted(differences, 'participant')} differing"]
    lines += [
        f"    {it.participant_id}: ledger {standing_text(it.ledger)}, board {standing_text(it.board)}"
        for it in differences[:SHOWN]
    ]
    return lines


def standing_text(standing: Standing | None) -> str:
    if standing is None:
        return "nothing"
    return f"{standing.score} points after {standing.reached_ms} ms as {standing.name!r}"


def shown_progress(items: Iterable[Item], doing: str) -> Iterable[Item]:
    """On a terminal's standard error, nothing elsewhere."""
    console = Console(stderr=True)
    return track(items, doing, console=console, transient=True, disable=not console.is_terminal)
