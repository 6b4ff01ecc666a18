"""A session's participants, for its hosts: the list, and in live sessions what a host does with one of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import Parameter
from msgspec import Meta

from tiebreak.app_server.epoch_ms import epoch_ms
from tiebreak.app_server.host_limit import HostLimit
from tiebreak.app_server.live.presence import Presence
from tiebreak.app_server.room_members import RoomMembers
from tiebreak.app_server.routes.hosts import OF_HOST, hosted
from tiebreak.app_server.routes.path_ids import participant_id_of
from tiebreak.app_server.routes.quiz_sessions import TeamChoice
from tiebreak.app_server.ticks import Ticks
from tiebreak.boards.reading import Boards
from tiebreak.database import participants
from tiebreak.database.participants import SessionParticipant
from tiebreak.database.pool import Pool
from tiebreak.errors import Refusal, Refused
from tiebreak.http_edge.bodies import StrictRequest
from tiebreak.http_edge.description import FACTS, Facts
from tiebreak.quiz.lobby import team_index
from tiebreak.quiz.model import MAX_NAME, Name, ParticipantId, QuizSessionId, UserId
from tiebreak.quiz.names import name_key
from tiebreak.quiz.options import Options
from tiebreak.text import clean_line

MOST_LISTED = 1_000
MAX_PERCENT = 400


class Kick(msgspec.Struct, forbid_unknown_fields=True, tag_field="action", tag="kick"):
    """Take somebody out; who may join again."""


class Ban(msgspec.Struct, forbid_unknown_fields=True, tag_field="action", tag="ban"):
    """Take somebody out for good."""


class Rename(msgspec.Struct, forbid_unknown_fields=True, tag_field="action", tag="rename"):
    """Another name, past every filter."""

    name: Name

    def __post_init__(self) -> None:
        self.name = clean_line(self.name, longest=MAX_NAME, what="The name")


class ExtraTime(msgspec.Struct, forbid_unknown_fields=True, tag_field="action", tag="extra_time"):
    """So many percent more of each question's time."""

    percent: Annotated[int, Meta(ge=0, le=MAX_PERCENT)]


class ChangeTeam(msgspec.Struct, forbid_unknown_fields=True, tag_field="action", tag="team"):
    """Another team, by index or by name."""

    team: TeamChoice


Action = Kick | Ban | Rename | ExtraTime | ChangeTeam


class ParticipantView(msgspec.Struct, frozen=True):
    """A participant; `here`: with a screen that is connected."""

    quiz_session_participant_id: ParticipantId
    name: str
    team: str | None
    extra_time_percent: int
    joined_at: int
    here: bool


class ParticipantList(msgspec.Struct, frozen=True):
    """Some of a session's participants, in the order of their coming, and how many there are."""

    quiz_session_id: QuizSessionId
    participants: list[ParticipantView]
    count: int


@get("/quiz-session/{quiz_session_id:str}/participants", opt={FACTS: Facts(OF_HOST)})
async def list_participants(
    request: StrictRequest,
    quiz_session_id: str,
    pool: Pool,
    host_limit: HostLimit,
    presence: Presence,
    limit: Annotated[int, Parameter(ge=1, le=MOST_LISTED)] = 200,
    offset: Annotated[int, Parameter(ge=0, le=1_000_000)] = 0,
) -> ParticipantList:
    """Who takes part; for hosts."""
    session = await hosted(request, quiz_session_id, pool, host_limit)
    listed = await participants.participants_of(pool, session.id, limit=limit, offset=offset)
    here = await presence.of(session.id)
    count = await participants.count_participants(pool, session.id)
    return ParticipantList(session.id, [view_of(it, session.options, here) for it in listed], count)


@post(
    "/quiz-session/{quiz_session_id:str}/participants/{quiz_session_participant_id:str}",
    status_code=200,
    opt={
        FACTS: Facts(
            (
                *OF_HOST,
                Refusal.SESSION_NOT_LIVE,
                Refusal.PARTICIPANT_NOT_FOUND,
                Refusal.NAME_REFUSED,
                Refusal.NAME_TAKEN,
                Refusal.TEAM_UNKNOWN,
            )
        )
    },
)
async def change_participant(
    request: StrictRequest,
    quiz_session_id: str,
    quiz_session_participant_id: str,
    data: Action,
    pool: Pool,
    host_limit: HostLimit,
    presence: Presence,
    room_members: RoomMembers,
    boards: Boards,
    ticks: Ticks,
) -> ParticipantView:
    """Remove, rename or help somebody in a live session; for hosts. May be repeated, and is to be after a 503."""
    participant_id = participant_id_of(quiz_session_participant_id)
    session = await hosted(request, quiz_session_id, pool, host_limit)
    if session.options is None:
        raise Refused(Refusal.SESSION_NOT_LIVE)
    changed = await carry_out(pool, session.id, participant_id, data, session.options)
    if isinstance(changed, Refusal):
        raise Refused(changed)
    here = await presence.of(session.id)
    if isinstance(data, (Kick, Ban)):
        await room_members.show_out(session.id, changed.user_id, banned=isinstance(data, Ban))
        here.discard(changed.user_id)
    if isinstance(data, (Kick, Ban, Rename)):
        if changed.has_answered:
            await boards.renew(session.id)
        ticks.players_changed(session.id)
    return view_of(changed, session.options, here)


async def carry_out(
    pool: Pool, session_id: QuizSessionId, participant_id: ParticipantId, action: Action, options: Options
) -> SessionParticipant | Refusal:
    """The action, in the database."""
    match action:
        case Kick() | Ban():
            banned = isinstance(action, Ban)
            changed = await participants.remove_participant(pool, session_id, participant_id, banned=banned)
        case Rename(name=name):
            if not (key := name_key(name)):
                return Refusal.NAME_REFUSED
            changed = await participants.rename_participant(pool, session_id, participant_id, name=name, name_key=key)
        case ExtraTime(percent=percent):
            changed = await participants.give_extra_time(pool, session_id, participant_id, percent)
        case ChangeTeam(team=team):
            index = team_index(options.teams, team)
            if index is None or isinstance(index, Refusal):
                return Refusal.TEAM_UNKNOWN
            changed = await participants.change_team(pool, session_id, participant_id, index)
    return Refusal.PARTICIPANT_NOT_FOUND if changed is None else changed


def view_of(participant: SessionParticipant, options: Options | None, here: Collection[UserId]) -> ParticipantView:
    teams, team = options.teams if options else [], participant.team
    return ParticipantView(
        quiz_session_participant_id=participant.id,
        name=participant.name,
        team=teams[team] if team is not None and team < len(teams) else None,
        extra_time_percent=participant.extra_time_percent,
        joined_at=epoch_ms(participant.joined_at),
        here=participant.user_id in here,
    )
