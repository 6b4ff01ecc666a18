"""As whom a server runs that refuses to run as root."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path

from tiebreak.embedded import launcher
from tiebreak.errors import EmbeddedServerFailed


class Privilege(StrEnum):
    """What the launcher does about root before it becomes the program; described there."""

    KEEP = "keep"
    NAMESPACE = "namespace"
    NOBODY = "nobody"


def launch_line(program: Sequence[str], death_signal: signal.Signals, privilege: Privilege) -> list[str]:
    """The command line that runs `program` tied to the life of this process."""
    script = [sys.executable, "-I", "-S", launcher.__file__]
    return [*script, str(os.getpid()), str(int(death_signal)), privilege.value, *program]


@cache
def unprivileged() -> Privilege:
    """How to run what refuses root: as ourselves if we are somebody, else by the first way this machine permits.

    Raises EmbeddedServerFailed when there is none.
    """
    if os.geteuid() != 0 and has_name(os.geteuid()):
        return Privilege.KEEP
    for privilege in (Privilege.NAMESPACE, Privilege.NOBODY):
        probe = launch_line([], signal.SIGKILL, privilege)
        if subprocess.run(probe, stderr=subprocess.DEVNULL, check=False).returncode == 0:  # noqa: S603 - our own
            return privilege
    raise EmbeddedServerFailed(
        "Postgres refuses to run as root, and this machine lets root neither make a user namespace nor become "
        "another user: start Tiebreak as an ordinary user, or set TIEBREAK_DATABASE_URL to a Postgres of your own."
    )


def has_name(uid: int) -> bool:
    """initdb looks up the name of its user and gives up without one (containers run under arbitrary ids)."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def owner_uid(privilege: Privilege) -> int:
    """Who the files of a server run so must belong to, seen from here."""
    return launcher.NOBODY if privilege is Privilege.NOBODY else os.geteuid()


def hand_over(directory: Path, uid: int) -> None:
    """Make `uid` the owner of a directory and all in it, unless it is already.

    A directory changes hands when it moves between machines that permit different ways.
    """
    if directory.stat().st_uid == uid or os.geteuid() != 0:
        return
    for folder, _, names in os.walk(directory):
        for path in [folder, *(os.path.join(folder, name) for name in names)]:
            os.chown(path, uid, -1, follow_symlinks=False)
    os.chown(directory, uid, -1)
