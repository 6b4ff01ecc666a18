"""Text that people give us: names, titles, prompts, answers."""

from __future__ import annotations

import unicodedata

# Characters that show nothing and break what stands around them: controls (Postgres refuses NUL),
# surrogates, and the marks that turn the direction of the text that follows (UAX #9).
DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

LONGEST_RAW = 4_000


def clean_line(text: str, *, longest: int, what: str) -> str:
    """One line of text in NFC, outer blanks gone, inner ones single.

    Raises ValueError, worded for the person who typed it, if nothing is left, it is longer than `longest`
    characters, or it holds control characters.
    """
    if len(text) > LONGEST_RAW:
        # Normalising a body full of combining marks would hold everyone else up.
        raise ValueError(f"{what} is longer than {longest} characters")
    line = " ".join(unicodedata.normalize("NFC", without_marks(text)).split())
    if not line:
        raise ValueError(f"{what} must not be empty")
    if len(line) > longest:
        raise ValueError(f"{what} is longer than {longest} characters")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in line):
        raise ValueError(f"{what} contains control characters")
    return line


def without_marks(text: str) -> str:
    """The text without direction marks and byte-order marks."""
    return "".join(character for character in text if character not in DIRECTION_MARKS and character != "\ufeff")
