"""What downloads are called."""

from datetime import UTC, datetime
from email.message import Message
from urllib.parse import unquote

import pytest

from tiebreak.app_server.results.file_name import attachment

DAY = datetime(2026, 11, 28, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("title", "name", "plain"),
    [
        ("Fruit and more", "Fruit and more 2026-11-28.csv", "Fruit and more 2026-11-28.csv"),
        ("Übung: Früchte", "Übung Früchte 2026-11-28.csv", "Ubung Fruchte 2026-11-28.csv"),
        ("../../etc/passwd", "etc passwd 2026-11-28.csv", "etc passwd 2026-11-28.csv"),
        ('a"; filename="b.exe', "a ; filename= b.exe 2026-11-28.csv", "a ; filename= b.exe 2026-11-28.csv"),
        ("クイズ 🎉", "クイズ 🎉 2026-11-28.csv", "2026-11-28.csv"),
        ("???", "Quiz 2026-11-28.csv", "Quiz 2026-11-28.csv"),
        ("100 % right", "100 right 2026-11-28.csv", "100 right 2026-11-28.csv"),
    ],
)
def test_names(title, name, plain):
    """Of the quiz and the day, without what file systems refuse; in ASCII too, for clients that know no better."""
    header = attachment(title, DAY, "csv")
    parsed = Message()
    parsed["Content-Disposition"] = header
    assert header.isascii()
    assert parsed.get_content_disposition() == "attachment"
    assert unquote(header.rpartition("filename*=UTF-8''")[2]) == name
    assert header.split('"')[1] == plain
    assert header.count('"') == 2


def test_long_titles_are_cut():
    """With the day and the ending still there."""
    assert attachment("x" * 500, DAY, "xlsx").endswith("%202026-11-28.xlsx")
    assert len(attachment("x" * 500, DAY, "xlsx")) < 300
