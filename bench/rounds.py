"""Several rounds of several measurements: who goes first rotates, and medians are taken."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, TypeVar

Name = TypeVar("Name")


def rotated(names: Sequence[Name], number: int) -> list[Name]:
    """The order of round `number`."""
    start = number % len(names)
    return [*names[start:], *names[:start]]


def medians(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of figures by name, however deep; anything but a number must be the same in every round."""
    return {name: median([figures[name] for figures in rounds]) for name in rounds[0]}


def median(values: Sequence[Any]) -> Any:  # noqa: ANN401 - numbers, or figures by name
    first = values[0]
    if isinstance(first, dict):
        return medians(values)
    if isinstance(first, (int, float)) and not isinstance(first, bool):
        return statistics.median(values)
    return first
