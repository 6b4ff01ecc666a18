"""Results as files: what all formats have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import IO, Protocol

import msgspec

from tiebreak.app_server.results.overview import Overview
from tiebreak.app_server.results.views import ParticipantResults


class Export(Protocol):
    """A file under way. Its methods take time: call them in a thread, one after the other."""

    def add(self, participants: Sequence[ParticipantResults]) -> None:
        """The next ones, in order."""
        ...

    def finish(self) -> None:
        """Nothing more comes."""
        ...


class Format(msgspec.Struct, frozen=True):
    """A kind of file; `begin` starts one, in a file that is open for writing."""

    ending: str
    media_type: str
    begin: Callable[[IO[bytes], Overview], Export]
