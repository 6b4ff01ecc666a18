"""A part of `make bench`: what it measures, and what its figures say about the promises and the limits.

Each runs alone (`python -m bench.answers`) or with the others (`python -m bench`, which adds a summary of all); either
way it writes its section of RESULTS.md and its figures into results.json.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.machine import command_line, one_line
from bench.processes import BenchFailed, say
from bench.results import RESULTS, table, write_section

# What was measured: names, and below them more of it or numbers, as it is written to results.json.
Figures = dict[str, Any]


class Claim(NamedTuple):
    """A promise, and the figure that shows whether it is kept."""

    promise: str
    needed: str
    found: str
    holds: bool


class Limit(NamedTuple):
    """What bounds a step: the fastest that it could be, and how much of that we reach."""

    step: str
    ours: str
    limit: str
    reached: str
    bound_by: str


class Section(NamedTuple):
    """`measure` is told whether a smoke run is meant; `text`, `claims` and `limits` are pure."""

    name: str
    title: str
    measure: Callable[[bool], Figures]
    where: Callable[[], dict[str, str]]
    text: Callable[[Figures], str]
    claims: Callable[[Figures], Sequence[Claim]]
    limits: Callable[[Figures], Sequence[Limit]]

    @property
    def module(self) -> str:
        return f"bench.{self.name}"


def at_least(promise: str, found: float, needed: float) -> Claim:
    """A ratio that must not be smaller."""
    return Claim(promise, f"≥ {needed:g} ×", f"{found:.2f} ×", found >= needed)


def at_most(promise: str, found: float, needed: float, unit: str = " ×") -> Claim:
    """A figure that must not be larger."""
    form = ".2f" if unit == " ×" else ",.0f"
    return Claim(promise, f"≤ {needed:g}{unit}", f"{found:{form}}{unit}", found <= needed)


def page_of(section: Section, kept: Figures) -> str:
    """A section of RESULTS.md from what results.json keeps of it."""
    where = kept["machine"]
    head = f"`{kept['command']}`, {where['date']}, {kept['seconds']:.0f} s: {one_line(where)}."
    return f"## {section.title}\n\n{head}\n\n{section.text(kept['figures'])}"


def run(section: Section, *, quick: bool, results: Path) -> None:
    """Measure, print, and keep it: of a smoke run only in a file made for that."""
    started = time.monotonic()
    figures = section.measure(quick)
    kept = {
        "command": command_line(section.module),
        "seconds": time.monotonic() - started,
        "machine": section.where(),
        "figures": figures,
    }
    print(page_of(section, kept))
    print_claims(section.claims(figures))
    if not is_kept(quick=quick, results=results):
        say(f"{results.name} stays as it is: this was a smoke run")
        return
    keep(section, kept, results)
    say(f"written to {results}")


def is_kept(*, quick: bool, results: Path) -> bool:
    return not quick or results != RESULTS


def print_claims(claims: Sequence[Claim]) -> None:
    print()
    for claim in claims:
        print(f"{'holds' if claim.holds else 'DOES NOT HOLD'}: {claim.promise}: {claim.found} ({claim.needed})")


def keep(section: Section, kept: Figures, results: Path) -> None:
    """Put it into RESULTS.md and results.json."""
    file = json_beside(results)
    file.parent.mkdir(parents=True, exist_ok=True)
    everything = read_figures(results) | {section.name: kept}
    file.write_text(json.dumps(everything, indent=1, ensure_ascii=False) + "\n")
    write_section(results, section.name, f"python -m {section.module}", page_of(section, kept))


def json_beside(results: Path) -> Path:
    return results.with_name("results.json")


def read_figures(results: Path) -> dict[str, Figures]:
    """What each section has kept."""
    file = json_beside(results)
    return json.loads(file.read_text()) if file.exists() else {}


def claims_table(claims: Sequence[Claim]) -> str:
    rows = [(claim.promise, claim.needed, claim.found, "yes" if claim.holds else "**no**") for claim in claims]
    return table(("", "promised", "found", "holds"), rows, words=4)


def limits_table(limits: Sequence[Limit]) -> str:
    heads = ("step", "ours", "limit", "reached", "bound by")
    return table(heads, limits, words=len(heads))


def main(section: Section) -> None:
    """The command line of a section run alone."""
    parser = argparse.ArgumentParser(prog=f"python -m {section.module}", description=section.title)
    add_options(parser)
    options = parser.parse_args()
    # Told to stop, we stop what we started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        run(section, quick=options.quick, results=options.results)
    except BenchFailed as error:
        sys.exit(str(error))


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--quick", action="store_true", help="only see whether it works; kept only where --results says"
    )
    parser.add_argument(
        "--results", type=Path, default=RESULTS, help="results.json is written beside it (default: bench/RESULTS.md)"
    )
