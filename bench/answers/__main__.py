"""`python -m bench.answers`."""

from __future__ import annotations

from bench.answers.measure import measure
from bench.answers.report import claims, limits, text, where
from bench.section import Section, main

SECTION = Section("answers", "Answers into the ledger", measure, where, text, claims, limits)

if __name__ == "__main__":
    main(SECTION)
