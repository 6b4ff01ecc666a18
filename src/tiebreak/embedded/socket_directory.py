"""A private directory for Unix sockets, whose paths must be short."""

from __future__ import annotations

import tempfile
from pathlib import Path

PREFIX = "tiebreak-"
# sun_path has 104 bytes on macOS, 108 on Linux; the longest name in the directory is ".s.PGSQL.5432.lock".
LONGEST = 80


def make_socket_directory() -> Path:
    """A new directory that only we may enter."""
    usual = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=usual if len(usual) + len(PREFIX) + 8 <= LONGEST else "/tmp"))  # noqa: S108
