"""results.json: the same document that GET /quiz-session/{id}/results answers, with all participants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

import msgspec

from tiebreak.app_server.results.export import Format
from tiebreak.app_server.results.overview import Overview
from tiebreak.app_server.results.views import ParticipantResults

EMPTY = b'"participants":[]}'


class JsonFile:
    """Written in pieces: the participants of a crowd are never in memory together."""

    def __init__(self, file: IO[bytes], overview: Overview) -> None:
        self._file = file
        self._separator = b""
        # participants is the last field of the document, so what comes before it is written first.
        file.write(msgspec.json.encode(overview.results([])).removesuffix(EMPTY) + b'"participants":[')

    def add(self, participants: Sequence[ParticipantResults]) -> None:
        for participant in participants:
            self._file.write(self._separator + msgspec.json.encode(participant))
            self._separator = b","

    def finish(self) -> None:
        self._file.write(b"]}")


JSON = Format("json", "application/json", JsonFile)
