"""How a live session is played: chosen when it opens, recorded with it, never changed after."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tiebreak.quiz.model import MAX_NAME, Name
from tiebreak.quiz.scoring import Policy
from tiebreak.text import clean_line

MAX_TEAMS = 12

Phones = Literal["full", "shapes"]
NameRule = Literal["free", "filtered", "generated"]
TeamScore = Literal["average", "sum"]
Teams = Annotated[list[Name], Meta(max_length=MAX_TEAMS, extra_json_schema={"uniqueItems": True})]


class Options(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The host's switches.

    `phones`: whether phones show a question's text, or only the shapes to tap. `names`: whether players choose theirs,
    past a filter or not, or are given one. `teams`: none, or the names of 2–12.
    """

    scoring: Policy = "speed"
    streak_bonus: bool = False
    partial_credit: bool = True
    latency_credit: bool = True
    shuffle_choices: bool = False
    auto_advance: bool = False
    close_when_all_answered: bool = True
    late_join: bool = True
    phones: Phones = "full"
    names: NameRule = "filtered"
    teams: Teams = []
    team_score: TeamScore = "average"

    def __post_init__(self) -> None:
        self.teams = [clean_line(team, longest=MAX_NAME, what="A team's name") for team in self.teams]
        if len(self.teams) == 1 or len(set(self.teams)) < len(self.teams):
            raise ValueError("Teams are none at all, or two or more with different names")


class RecordedOptions(Options, forbid_unknown_fields=False, kw_only=True):
    """With the version of the formulas that the session is scored by."""

    scoring_version: int = 1
