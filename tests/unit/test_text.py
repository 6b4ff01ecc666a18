"""Text that people give us."""

import pytest

from tiebreak.text import clean_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Zoë   Q. ", "Zoë Q."),
        ("Zoe\u0308", "Zoë"),
        ("👩‍👩‍👧 team", "👩‍👩‍👧 team"),
        ("שלום עולם", "שלום עולם"),
        ("a\nb\tc", "a b c"),
        ("\u202eevil\u202c", "evil"),
        ("\ufeffBOM", "BOM"),
    ],
)
def test_clean_line(text, expected):
    """Any language and emoji pass; what would disturb the text around it does not."""
    assert clean_line(text, longest=40, what="The name") == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "must not be empty"),
        (" \t ", "must not be empty"),
        ("\u202e", "must not be empty"),
        ("x" * 41, "longer than 40"),
        ("x" * 10_000, "longer than 40"),
        ("a\0b", "control characters"),
        ("a\x1b[31m", "control characters"),
    ],
)
def test_clean_line_refuses(text, complaint):
    """The complaint says what is wrong, in words for the person who typed it."""
    with pytest.raises(ValueError, match=complaint):
        clean_line(text, longest=40, what="The name")
