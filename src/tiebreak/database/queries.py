"""The named statements of queries.sql."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def queries() -> dict[str, str]:
    """Every statement of queries.sql by its name."""
    parts = NAME.split(files("tiebreak.database").joinpath("queries.sql").read_text(encoding="utf-8"))
    return dict(zip(parts[1::2], (text.strip() for text in parts[2::2]), strict=True))


def sql(name: str) -> str:
    """The statement of that name; KeyError if queries.sql has none."""
    return queries()[name]
