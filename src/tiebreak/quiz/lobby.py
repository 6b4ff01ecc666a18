"""Who may enter a live session, under which name, and in which team."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tiebreak.errors import Refusal
from tiebreak.quiz.kind_names import COUNT, kind_name, tongue_of
from tiebreak.quiz.model import ParticipantId, QuizSessionId, UserId
from tiebreak.quiz.name_filter import is_decent
from tiebreak.quiz.names import name_key
from tiebreak.quiz.options import Options

# Of names that are drawn: in a lobby of thousands some are taken, all of them hardly ever.
DRAWS = 8
# The names without a number, and as many with one.
DRAWN_FROM = 2 * min(COUNT.values())


class Wish(msgspec.Struct, frozen=True):
    """How somebody would enter: under the first of `names` that is free, each with its key.

    `team` is an index of `teams`; None: the smallest one, if there are teams.
    """

    names: Sequence[tuple[str, str]]
    teams: Sequence[str]
    team: int | None


class Newcomer(msgspec.Struct, frozen=True):
    """A user at the door of a live session. `id` is the participant's, if that is what the user becomes."""

    id: ParticipantId
    quiz_session_id: QuizSessionId
    user_id: UserId
    wish: Wish | Refusal


class Door(msgspec.Struct, frozen=True):
    """How a session stands to a newcomer. `participant_id` and what follows: who the user was there before."""

    state: str
    late_join: bool
    locked: bool
    begun: bool
    is_host: bool
    participant_id: ParticipantId | None
    name: str | None
    team: int | None
    is_removed: bool | None
    banned: bool | None


class Entry(msgspec.Struct, frozen=True):
    """A newcomer's place in the session. `is_new`: it is not recorded yet; `is_back`: the user had been removed."""

    id: ParticipantId
    quiz_session_id: QuizSessionId
    user_id: UserId
    name: str
    name_key: str
    team: int | None
    is_new: bool = True
    is_back: bool = False


def wish_of(
    options: Options, language: str, *, name: str, team: int | str | None, draws: Sequence[int]
) -> Wish | Refusal:
    """What somebody asks for, as far as the session's options allow it; `draws` are numbers drawn at random.

    Raises nothing; a name that shows nothing is refused by every rule.
    """
    index = team_index(options.teams, team)
    if isinstance(index, Refusal):
        return index
    if options.names == "generated":
        tongue = tongue_of(language)
        names = [kind_name(tongue, draw) for draw in draws]
    elif not name_key(name) or (options.names == "filtered" and not is_decent(name, language)):
        return Refusal.NAME_REFUSED
    else:
        names = [name]
    return Wish([(it, name_key(it)) for it in names], options.teams, index)


def team_index(teams: Sequence[str], team: int | str | None) -> int | Refusal | None:
    """Which of them it is, given by index or by name."""
    if team is None:
        return None
    if isinstance(team, str):
        return teams.index(team) if team in teams else Refusal.TEAM_UNKNOWN
    return team if 0 <= team < len(teams) else Refusal.TEAM_UNKNOWN


def refusal_at(door: Door) -> Refusal | None:
    """Why nobody enters here, or not this user."""
    if door.participant_id is not None and not door.is_removed:
        return Refusal.ALREADY_JOINED
    if door.state == "finished":
        return Refusal.SESSION_FINISHED
    if door.is_host:
        return Refusal.HOSTS_DO_NOT_PLAY
    if door.banned:
        return Refusal.BANNED
    if door.locked:
        return Refusal.SESSION_LOCKED
    if door.begun and not door.late_join:
        return Refusal.JOINING_CLOSED
    return None


def admitted(
    newcomers: Sequence[Newcomer],
    doors: Mapping[int, Door],
    names_taken: Iterable[tuple[QuizSessionId, str]],
    team_sizes: Mapping[tuple[QuizSessionId, int], int],
) -> list[Entry | Refusal]:
    """What becomes of each, in their order: whoever comes first has the name. `doors` by place in `newcomers`."""
    taken, sizes, entered = set(names_taken), Counter(team_sizes), set[tuple[QuizSessionId, UserId]]()
    outcomes: list[Entry | Refusal] = []
    for place, newcomer in enumerate(newcomers):
        door = doors.get(place)
        user = newcomer.quiz_session_id, newcomer.user_id
        if door is None:
            outcomes.append(Refusal.SESSION_NOT_FOUND_FOR_JOIN)
        elif door.participant_id == newcomer.id:
            # Our own, from a commit that we have not heard of.
            outcomes.append(Entry(newcomer.id, *user, door.name or "", "", door.team, is_new=False))
        elif refusal := Refusal.ALREADY_JOINED if user in entered else refusal_at(door):
            outcomes.append(refusal)
        else:
            outcome = placed(newcomer, door, taken, sizes)
            if isinstance(outcome, Entry):
                entered.add(user)
            outcomes.append(outcome)
    return outcomes


def placed(
    newcomer: Newcomer,
    door: Door,
    taken: set[tuple[QuizSessionId, str]],
    sizes: Counter[tuple[QuizSessionId, int]],
) -> Entry | Refusal:
    """A newcomer with a name and a team, noted in `taken` and `sizes`."""
    wish, session = newcomer.wish, newcomer.quiz_session_id
    if isinstance(wish, Refusal):
        return wish
    free = next(((name, key) for name, key in wish.names if (session, key) not in taken), None)
    if free is None:
        return Refusal.NAME_TAKEN
    team = wish.team
    if team is None and wish.teams:
        team = min(range(len(wish.teams)), key=lambda it: sizes[session, it])
    taken.add((session, free[1]))
    if team is not None:
        sizes[session, team] += 1
    return Entry(
        door.participant_id or newcomer.id,
        session,
        newcomer.user_id,
        *free,
        team,
        is_back=door.participant_id is not None,
    )
