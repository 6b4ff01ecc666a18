"""What clients may say over a socket, and what they get for an answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from tiebreak.app_server.commands import Answers, Outcome
from tiebreak.boards.reading import Boards
from tiebreak.clock import Clock
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import find_participant, load_session
from tiebreak.errors import Refusal, Refused
from tiebreak.quiz.ranking import Leaderboard
from tiebreak.socket_adapter.messages import EnterSession, GetLeaderboard, LeaveSession, UpdateScore
from tiebreak.socket_adapter.server import Connection, Handler, Limits, SocketServer
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

    async def enter_session(client: Client, message: EnterSession) -> Leaderboard:
        user_id = client.identity.user_id
        session = await load_session(pool, message.quiz_session_id)
        if session is None:
            raise Refused(Refusal.SESSION_NOT_FOUND)
        if session.host_id != user_id and await find_participant(pool, session.id, user_id) is None:
            raise Refused(Refusal.NOT_JOINED)
        # The room first: what changes while the snapshot is read then arrives as a message.
        client.enter_room(str(session.id))
        return await boards.read(session.id, user_id)

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

    handlers: Mapping[type[Any], Handler[Identity]] = {
        EnterSession: enter_session,
        LeaveSession: leave_session,
        GetLeaderboard: get_leaderboard,
        UpdateScore: update_score,
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
