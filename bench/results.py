"""RESULTS.md: one section per bench, each between marks of its own, so that each can be written alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bench.processes import ROOT

RESULTS = ROOT / "bench" / "RESULTS.md"
INTRODUCTION = "# What was measured\n\nBy the programs in this folder, each its own section.\n"


def write_section(path: Path, name: str, command: str, text: str, *, first: bool = False) -> None:
    """Replace the section of that name, or add it: at the end, or after the introduction."""
    before = path.read_text() if path.exists() else INTRODUCTION
    path.write_text(with_section(before, name, command, text, first=first))


def with_section(page: str, name: str, command: str, text: str, *, first: bool = False) -> str:
    """The page with this section."""
    section = f"<!-- {name}: written by {command} -->\n{text.strip()}\n<!-- {name}: end -->"
    marks = rf"<!-- {re.escape(name)}: written by .*? -->\n.*?<!-- {re.escape(name)}: end -->"
    replaced, count = re.subn(marks, lambda _: section, page, flags=re.S)
    if count:
        return replaced
    introduction, mark, rest = page.partition("<!-- ") if first else (page, "", "")
    return f"{introduction.rstrip()}\n\n{section}\n" + (f"\n{mark}{rest}" if mark else "")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1) -> str:
    """In Markdown, the first `words` columns to the left, figures to the right."""
    columns = [
        aligned([row[column] for row in (heads, *rows)], to_the_left=column < words) for column in range(len(heads))
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in zip(*columns, strict=True))


def aligned(cells: Sequence[str], *, to_the_left: bool) -> list[str]:
    """A column, all cells of one width, with the line below its head."""
    width = max(map(len, cells))
    padded = [cell.ljust(width) if to_the_left else cell.rjust(width) for cell in cells]
    return [padded[0], "-" * width if to_the_left else "-" * (width - 1) + ":", *padded[1:]]


def shown(figure: float | None, form: str) -> str:
    """A figure, or a dash where there is none."""
    return "–" if figure is None else format(figure, form)


def ratio(ours: float | None, other: float | None) -> str:
    return f"{ours / other:.2f}" if ours is not None and other else ""
