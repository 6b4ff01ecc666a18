"""What `tiebreak up` tells whoever started it: plain lines, at once, with the seconds since the start."""

from __future__ import annotations

import os
import sys
import time
from urllib.parse import urlsplit, urlunsplit


class Terminal:
    """Standard output. That nobody reads it any more is no reason to stop."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def say(self, text: str) -> None:
        """A step, with the time it was reached."""
        self.line(f"{time.monotonic() - self._started:7.2f} s  {text}")

    def line(self, text: str) -> None:
        """A line as it is."""
        try:
            print(text, flush=True)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def without_password(url: str) -> str:
    """A URL that may be shown."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, address = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:***@{address}"))
