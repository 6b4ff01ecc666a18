"""Requests that have to succeed: those of the preparations and of the check afterwards."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TypeVar

from tiebreak.load_test.failures import LoadTestFailed, not_carried_out
from tiebreak.load_test.http_client import HttpClient, Reply, Unanswered
from tiebreak.load_test.patience import pause_seconds
from tiebreak.load_test.replies import decoded

ATTEMPTS = 6
TEMPORARY = frozenset({500, 502, 503, 504})
TEMPORARY_OR_LIMITED = TEMPORARY | {429}

Described = TypeVar("Described")


class Requests:
    """Sends requests, repeats what may be repeated, and fails with a sentence."""

    def __init__(self, http: HttpClient, origin: str, random: Random) -> None:
        self.http = http
        self.origin = origin
        self._random = random

    async def post(
        self, what: str, path: str, body: object, described: type[Described], *, token: str = "", once: bool = False
    ) -> Described:
        """`what` is the subject of the sentence; `once`: a second one would not be the same. Raises LoadTestFailed."""
        reply = await self.reply(what, "POST", path, token=token, body=body, attempts=1 if once else ATTEMPTS)
        return expected(what, reply, described)

    async def get(self, what: str, path: str, described: type[Described], *, token: str = "") -> Described:
        """As `post`; a limit that is hit is waited for."""
        return expected(what, await self.reply(what, "GET", path, token=token, wait_for_limits=True), described)

    async def reply(
        self,
        what: str,
        method: str,
        path: str,
        *,
        token: str = "",
        body: object = None,
        attempts: int = ATTEMPTS,
        wait_for_limits: bool = False,
    ) -> Reply:
        """The first reply that is not temporary, or the last one. Raises LoadTestFailed if nobody answers."""
        temporary = TEMPORARY_OR_LIMITED if wait_for_limits else TEMPORARY
        attempt = 0
        while True:
            attempt += 1
            asked_seconds = 0.0
            try:
                reply = await self.http.call(method, path, token=token, body=body)
                if reply.status not in temporary or attempt >= attempts:
                    return reply
                asked_seconds = reply.retry_after_seconds
            except Unanswered as unanswered:
                if attempt >= attempts:
                    raise LoadTestFailed(
                        f"{what} was not answered by {self.origin} ({unanswered}). "
                        "Is Tiebreak running there (`tiebreak up`), and is this its port?"
                    ) from unanswered
            await asyncio.sleep(pause_seconds(attempt, asked_seconds, self._random))


def expected(what: str, reply: Reply, described: type[Described]) -> Described:
    """The body of a success. Raises LoadTestFailed."""
    found = decoded(reply.body, described) if reply.status in {200, 201} else None
    if found is None:
        raise not_carried_out(what, reply)
    return found
