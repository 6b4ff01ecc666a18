"""The report of `make bench`: sections in a page, tables, medians, and what holds."""

from __future__ import annotations

import pytest

from bench.results import INTRODUCTION, ratio, shown, table, with_section
from bench.rounds import medians, rotated
from bench.section import at_least, at_most

OTHER = "<!-- other: written by python -m bench.other -->\nOther text\n<!-- other: end -->\n"


def test_section_is_added_at_the_end():
    """What is not there yet comes after what is."""
    page = with_section(INTRODUCTION + "\n" + OTHER, "mine", "python -m bench.mine", "My text")
    assert page.startswith(INTRODUCTION)
    assert page.endswith("<!-- mine: written by python -m bench.mine -->\nMy text\n<!-- mine: end -->\n")
    assert OTHER in page


def test_section_is_replaced_in_its_place():
    """A section written again stays where it is, and the others are not touched."""
    once = with_section(INTRODUCTION, "mine", "python -m bench.mine", "My text")
    both = with_section(once, "other", "python -m bench.other", "Other text")
    again = with_section(both, "mine", "python -m bench.mine", r"New text with a \1 in it")
    assert again == both.replace("My text", r"New text with a \1 in it")


def test_summary_comes_first():
    """The summary stands before all sections, whenever it is written."""
    page = with_section(INTRODUCTION + "\n" + OTHER, "summary", "python -m bench", "In short", first=True)
    assert page.index("In short") < page.index("Other text")
    assert page.startswith(INTRODUCTION)


def test_section_of_the_page_as_it_is():
    """The marks of the page that is committed are found: nothing is added twice."""
    page = with_section(INTRODUCTION, "fan-out", "python -m bench.fanout", "Old")
    assert with_section(page, "fan-out", "python -m bench.fanout", "New").count("<!-- fan-out: end -->") == 1


def test_table_is_aligned():
    """Columns are as wide as their widest cell, figures to the right."""
    assert table(("", "a"), [("one", "10"), ("eleven", "9")]).splitlines() == [
        "|        |  a |",
        "| ------ | -: |",
        "| one    | 10 |",
        "| eleven |  9 |",
    ]


def test_missing_figures():
    """Where there is no figure there is a dash, and no ratio."""
    assert shown(None, ".1f") == "–"
    assert shown(1.25, ".1f") == "1.2"
    assert ratio(None, 2) == ratio(2, None) == ratio(2, 0) == ""
    assert ratio(3, 2) == "1.50"


def test_each_goes_first_once():
    """Over as many rounds as there are names, each has every place once."""
    orders = [rotated(["a", "b", "c"], number) for number in range(3)]
    assert orders == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"]]


def test_medians_go_deep():
    """Medians are taken figure by figure, whatever the order in which a round measured."""
    rounds = [{"x": {"rate": 1, "p50": 9.0}, "y": {"rate": 4}}, {"y": {"rate": 2}, "x": {"rate": 3, "p50": 5.0}}]
    assert medians([*rounds, {"x": {"rate": 2, "p50": 7.0}, "y": {"rate": 9}}]) == {
        "x": {"rate": 2, "p50": 7.0},
        "y": {"rate": 4},
    }


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        (at_least("faster", 6.0, 6), True),
        (at_least("faster", 5.999, 6), False),
        (at_most("slower", 0.25, 0.25), True),
        (at_most("slower", 0.251, 0.25), False),
    ],
)
def test_promises(claim, holds):
    """A promise holds up to its bound, and not beyond by however little."""
    assert claim.holds is holds
