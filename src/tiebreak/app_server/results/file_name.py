"""What a download is called: after the quiz's title and the day it was played."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from urllib.parse import quote

# What some file system or other does not take, and control characters.
REFUSED = re.compile(r'[/\\:*?"<>|%\x00-\x1f\x7f]+')
LONGEST = 80
# RFC 8187: what need not be percent-encoded.
PLAIN = "!#$&+-.^_`|~"


def attachment(title: str, day: datetime, ending: str) -> str:
    """Content-Disposition (RFC 6266): the name for everybody, and before it one in ASCII for very old clients."""
    name = f"{safe(title)} {day:%Y-%m-%d}.{ending}"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().strip()
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=PLAIN)}"


def safe(title: str) -> str:
    """A title as a part of a file's name."""
    name = " ".join(REFUSED.sub(" ", title).split()).strip(". ")
    return name[:LONGEST].strip(". ") or "Quiz"
