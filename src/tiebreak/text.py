"""Text that people give us: names, titles, prompts, answers."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from msgspec import Meta

# Characters that show nothing and break what stands around them: controls (Postgres refuses NUL),
# surrogates, and the marks that turn the direction of the text that follows (UAX #9).
DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

LONGEST_RAW = 4_000
LONGEST_EMAIL = 254  # RFC 5321 §4.5.3.1.3, less the angle brackets

# Composing shortens a text, hardly ever to less than a quarter. What is longer than that is refused first:
# putting tens of thousands of combining marks in order would hold the event loop for half a second.
COMPOSING = 4

Email = Annotated[str, Meta(extra_json_schema={"maxLength": LONGEST_EMAIL, "pattern": r"^\s*[^@\s]+@[^@\s]+\s*$"})]

# The same as regular expressions know them (ECMA-262, and so JSON Schema). Blanks are those of str.split().
_CONTROLS = r"\u0000-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f"
_BLANKS = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_MARKS = r"\u202a-\u202e\u2066-\u2069\ufeff"
LINE_PATTERN = f"^[^{_CONTROLS}]*[^{_CONTROLS}{_BLANKS}{_MARKS}][^{_CONTROLS}]*$"


def line_schema(longest: int) -> dict[str, object]:
    """How a line is described (JSON Schema) that `clean_line` takes; it is the one that looks."""
    return {
        "minLength": 1,
        "maxLength": longest,
        "pattern": LINE_PATTERN,
        "description": "One line, without control characters. Counted, and kept, in NFC and without needless blanks",
    }


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


def clean_email(text: str) -> str:
    """An e-mail as it is stored and looked up: trimmed, NFC, in one case.

    Only mail sent there could tell whether an address is right, so no more is asked than what every address
    has. Raises ValueError.
    """
    if len(text) > COMPOSING * LONGEST_EMAIL:
        raise ValueError(f"The e-mail is longer than {LONGEST_EMAIL} characters")
    email = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).casefold())
    if len(email) > LONGEST_EMAIL:
        raise ValueError(f"The e-mail is longer than {LONGEST_EMAIL} characters")
    if " " in email or not email.isprintable():
        raise ValueError("The e-mail contains blanks or control characters")
    local, at, domain = email.partition("@")
    if not (local and at and domain) or "@" in domain:
        raise ValueError("The e-mail must look like name@example.org")
    return email
