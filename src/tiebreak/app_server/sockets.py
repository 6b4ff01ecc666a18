"""What clients may say over a socket, and what they get for an answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import asdict

from tiebreak.app_server.commands import Answers, Outcome
from tiebreak.app_server.live.admission import admit
from tiebreak.app_server.live.my_results import MyResult, MyResults
from tiebreak.app_server.live.presence import Presence
from tiebreak.app_server.live.telling import Telling, seen
from tiebreak.boards.reading import Boards
from tiebreak.clock import Clock
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import load_session
from tiebreak.errors import Refusal, Refused
from tiebreak.quiz.ranking import Leaderboard
from tiebreak.socket_adapter.connection import Connection
from tiebreak.socket_adapter.live_messages import GameView, LiveSnapshot
from tiebreak.socket_adapter.messages import (
    EnterSession,
    GetGame,
    GetLeaderboard,
    GetMyResult,
    LeaveSession,
    UpdateScore,
)
from tiebreak.socket_adapter.server import Handler, Limits, SocketServer
from tiebreak.socket_adapter.socket_io.adapter import AdapterFactory
from tiebreak.tokens import Identity, Verifier

Client = Connection[Identity]


def socket_server(
    *,
    origins: str,
    verifier: Verifier,
    pool: Pool,
    boards: Boards,
    answers: Answers,
    telling: Telling,
    my_results: MyResults,
    presence: Presence,
    limits: Limits,
    clock: Clock,
    adapter: AdapterFactory,
    on_recovered: Callable[[Collection[str]], None],
    outages: tuple[type[Exception], ...],
) -> SocketServer[Identity]:
    """A Socket.IO server that handles every message of docs/messages.md."""
    allowed = {origin.strip() for origin in origins.split(",") if origin.strip()}

    def origin_allowed(origin: str, host: str | None) -> bool:
        """Our own page, and those an operator has named; programs send no Origin at all."""
        try:
            return origin in allowed or urlsplit(origin).netloc == host
        except ValueError:
            return False

    async def enter_session(client: Client, message: EnterSession) -> Leaderboard | LiveSnapshot:
        user_id = client.identity.user_id
        session = await admit(pool, message.quiz_session_id, user_id)
        # The room first: what changes while the snapshot is read then arrives as a message.
        client.enter_room(str(session.id))
        board = await boards.read(session.id, user_id)
        if session.options is None:
            return board
        presence.follow(session.id)
        return LiveSnapshot(**asdict(board), game=await telling.view(session.id))

    async def leave_session(client: Client, message: LeaveSession) -> None:
        client.leave_room(str(message.quiz_session_id))

    async def get_leaderboard(client: Client, message: GetLeaderboard) -> Leaderboard:
        if await load_session(pool, message.quiz_session_id) is None:
            raise Refused(Refusal.SESSION_NOT_FOUND)
        return await boards.read(
            message.quiz_session_id,
            client.identity.user_id,
            limit=message.limit,
            offset=message.offset,
            around_me=message.around == "me",
        )

    async def update_score(client: Client, message: UpdateScore) -> Outcome:
        outcome = await answers.submit(client.identity.user_id, message)
        if isinstance(outcome, Refusal):
            raise Refused(outcome)
        return outcome

    async def get_game(client: Client, message: GetGame) -> GameView:
        await admit(pool, message.quiz_session_id, client.identity.user_id)
        return await seen(telling, message.quiz_session_id)

    async def get_my_result(client: Client, message: GetMyResult) -> MyResult:
        return await my_results.of(message.quiz_session_id, client.identity.user_id)

    handlers: Mapping[type[Any], Handler[Identity]] = {
        EnterSession: enter_session,
        LeaveSession: leave_session,
        GetLeaderboard: get_leaderboard,
        UpdateScore: update_score,
        GetGame: get_game,
        GetMyResult: get_my_result,
    }
    return SocketServer[Identity](
        origin_allowed=origin_allowed,
        authenticate=verifier.verify,
        handlers=handlers,
        limits=limits,
        clock=clock,
        adapter=adapter,
        on_recovered=on_recovered,
        outages=outages,
    )
