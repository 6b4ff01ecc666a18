"""Hosts of a quiz session: who opened it, and the co-hosts, who may do the same. One may leave it to the others."""

from __future__ import annotations

from typing import Literal

import msgspec
from litestar import delete, get, post

from tiebreak.app_server.callers import identity_of
from tiebreak.app_server.host_limit import HostLimit
from tiebreak.app_server.routes.path_ids import session_id_of, user_id_of
from tiebreak.app_server.routes.quiz_sessions import existing
from tiebreak.database import session_hosts
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import QuizSession
from tiebreak.database.users import find_account
from tiebreak.errors import Refusal, Refused
from tiebreak.http_edge.bodies import StrictRequest
from tiebreak.http_edge.description import FACTS, Facts
from tiebreak.quiz.model import QuizSessionId, UserId
from tiebreak.text import Email, clean_email

OF_HOST = (Refusal.SESSION_NOT_FOUND, Refusal.NOT_THE_HOST, Refusal.TOO_MANY_TRIES)


class CoHostRequest(msgspec.Struct, forbid_unknown_fields=True):
    """An account, by its e-mail."""

    email: Email

    def __post_init__(self) -> None:
        self.email = clean_email(self.email)


class HostView(msgspec.Struct, frozen=True):
    """Somebody who may act as host."""

    user_id: UserId
    name: str
    role: Literal["host", "co_host"]


class HostList(msgspec.Struct, frozen=True):
    """All hosts of a session, who opened it first."""

    quiz_session_id: QuizSessionId
    hosts: list[HostView]


@get("/quiz-session/{quiz_session_id:str}/hosts", opt={FACTS: Facts(OF_HOST)})
async def list_hosts(request: StrictRequest, quiz_session_id: str, pool: Pool, host_limit: HostLimit) -> HostList:
    """Who may act as host; for hosts."""
    session = await hosted(request, quiz_session_id, pool, host_limit)
    return await host_list(pool, session.id)


@post(
    "/quiz-session/{quiz_session_id:str}/hosts",
    status_code=200,
    opt={FACTS: Facts((*OF_HOST, Refusal.SESSION_NOT_LIVE, Refusal.ACCOUNT_NOT_FOUND, Refusal.PLAYS_ALREADY))},
)
async def add_host(
    request: StrictRequest, quiz_session_id: str, data: CoHostRequest, pool: Pool, host_limit: HostLimit
) -> HostList:
    """Make an account co-host of a live session; may be repeated. Players never become hosts."""
    session = await hosted(request, quiz_session_id, pool, host_limit)
    if session.options is None:
        raise Refused(Refusal.SESSION_NOT_LIVE)
    account = await find_account(pool, data.email)
    if account is None:
        raise Refused(Refusal.ACCOUNT_NOT_FOUND)
    if refusal := await session_hosts.add_co_host(pool, session.id, account.id):
        raise Refused(refusal)
    return await host_list(pool, session.id)


@delete("/quiz-session/{quiz_session_id:str}/hosts/{user_id:str}", opt={FACTS: Facts(OF_HOST)})
async def remove_host(
    request: StrictRequest, quiz_session_id: str, user_id: str, pool: Pool, host_limit: HostLimit
) -> None:
    """Remove a co-host, or oneself as one; may be repeated. Who opened the session stays its host."""
    co_host = user_id_of(user_id)
    session = await hosted(request, quiz_session_id, pool, host_limit)
    await session_hosts.remove_co_host(pool, session.id, co_host)


async def hosted(request: StrictRequest, quiz_session_id: str, pool: Pool, host_limit: HostLimit) -> QuizSession:
    """A session of which the caller is host or co-host. Raises Refused."""
    user_id = identity_of(request).user_id
    host_limit.count(user_id)
    session = await existing(pool, session_id_of(quiz_session_id))
    if not await session_hosts.is_host(pool, session.id, user_id):
        raise Refused(Refusal.NOT_THE_HOST)
    return session


async def host_list(pool: Pool, quiz_session_id: QuizSessionId) -> HostList:
    hosts = await session_hosts.hosts_of(pool, quiz_session_id)
    return HostList(
        quiz_session_id, [HostView(it.user_id, it.name, "host" if it.is_owner else "co_host") for it in hosts]
    )
