"""The list of mutants stays true to the sources, the tests and the page about them."""

from pathlib import Path

import pytest

from tests.mutants.catalogue import MUTANTS, Mutant

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "safeguards.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda it: it.name)
def test_a_mutant_can_be_made(mutant: Mutant):
    """What it breaks is there, once, and so is the test that notices."""
    assert (ROOT / "src" / "tiebreak" / mutant.file).read_text(encoding="utf-8").count(mutant.intact) == 1
    assert mutant.intact != mutant.broken
    file, _, name = mutant.test.partition("::")
    assert f"def {name.partition('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8")


def test_the_page_lists_them_all():
    """docs/safeguards.md names each with its safeguard and its test, and no other."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert rows == [row(it) for it in MUTANTS]


def row(mutant: Mutant) -> str:
    file, _, name = mutant.test.partition("::")
    return f"| `{mutant.name}` | {mutant.safeguard} | `{mutant.file}` | [`{name}`](../{file}) |"
