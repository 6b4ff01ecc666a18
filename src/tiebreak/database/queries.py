"""The named statements of the *.sql files in this folder."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def queries() -> dict[str, str]:
    """Every statement by its name, which no two files may share."""
    found: dict[str, str] = {}
    for file in files("tiebreak.database").iterdir():
        if not file.name.endswith(".sql"):
            continue
        parts = NAME.split(file.read_text(encoding="utf-8"))
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            if name in found:
                raise ValueError(f"Two statements are called {name}; one of them is in {file.name}.")
            found[name] = text.strip()
    return found


def sql(name: str) -> str:
    """The statement of that name; KeyError if there is none."""
    return queries()[name]
