"""Names for those who think of none."""

from __future__ import annotations

import secrets

import msgspec
from litestar import get

from tiebreak.http_edge.description import FACTS, Facts
from tiebreak.quiz.kind_names import COUNT, Tongue, kind_name


class Suggestion(msgspec.Struct, frozen=True):
    """A name that is kind. Whether it is free is seen when one joins with it."""

    name: str


@get("/names/suggestion", opt={FACTS: Facts(outages=False)})
async def suggest_name(language: Tongue = "en") -> Suggestion:
    """A name drawn at random: public."""
    return Suggestion(kind_name(language, secrets.randbelow(COUNT[language])))
