"""Live games: followed by who takes part, led by their hosts."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get, post
from msgspec import Meta

from tiebreak.app_server.callers import identity_of
from tiebreak.app_server.live.admission import admit
from tiebreak.app_server.live.conductor import Conductor
from tiebreak.app_server.live.my_results import MyResult, MyResults
from tiebreak.app_server.live.telling import Telling, existing, seen
from tiebreak.app_server.routes.path_ids import session_id_of
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import load_session
from tiebreak.database.session_hosts import is_host
from tiebreak.errors import Refusal, Refused
from tiebreak.http_edge.bodies import StrictRequest
from tiebreak.http_edge.description import FACTS, Facts
from tiebreak.quiz.live import MAX_ADDED_MS, Command, CommandName
from tiebreak.socket_adapter.live_messages import GameView


class GameCommand(msgspec.Struct, forbid_unknown_fields=True):
    """A host's command, and the step of the game it was meant for: it is carried out once, and for no other step."""

    command: CommandName
    step: Annotated[int, Meta(ge=0)]
    ms: Annotated[int, Meta(ge=1_000, le=MAX_ADDED_MS, description="For add_time: how much")] = 10_000


@get(
    "/quiz-session/{quiz_session_id:str}/game",
    opt={FACTS: Facts((Refusal.SESSION_NOT_FOUND, Refusal.NOT_JOINED, Refusal.SESSION_NOT_LIVE))},
)
async def show_game(request: StrictRequest, quiz_session_id: str, pool: Pool, telling: Telling) -> GameView:
    """Where the game stands: for participants and hosts."""
    session_id = session_id_of(quiz_session_id)
    await admit(pool, session_id, identity_of(request).user_id)
    return await seen(telling, session_id)


@post(
    "/quiz-session/{quiz_session_id:str}/game",
    status_code=200,
    opt={
        FACTS: Facts(
            (
                Refusal.SESSION_NOT_FOUND,
                Refusal.NOT_THE_HOST,
                Refusal.SESSION_NOT_LIVE,
                Refusal.COMMAND_NOT_NOW,
                Refusal.BUSY,
            )
        )
    },
)
async def lead_game(
    request: StrictRequest, quiz_session_id: str, data: GameCommand, pool: Pool, conductor: Conductor, telling: Telling
) -> GameView:
    """Lead the room on. A command that names another step than the game's changes nothing: somebody was first."""
    session_id = session_id_of(quiz_session_id)
    if await load_session(pool, session_id) is None:
        raise Refused(Refusal.SESSION_NOT_FOUND)
    if not await is_host(pool, session_id, identity_of(request).user_id):
        raise Refused(Refusal.NOT_THE_HOST)
    game = await conductor.command(session_id, Command(data.command, data.ms), data.step)
    if isinstance(game, Refusal):
        raise Refused(game)
    # Anew: what others are reading just now may have been begun before this command.
    return existing(await telling.read(session_id))


@get(
    "/quiz-session/{quiz_session_id:str}/my-result",
    opt={FACTS: Facts((Refusal.SESSION_NOT_FOUND, Refusal.NOT_JOINED, Refusal.SESSION_NOT_LIVE))},
)
async def show_my_result(request: StrictRequest, quiz_session_id: str, my_results: MyResults) -> MyResult:
    """How the caller stands, as far as it has been revealed."""
    return await my_results.of(session_id_of(quiz_session_id), identity_of(request).user_id)
