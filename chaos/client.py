"""Requests of clients that do not give up: sent again, to any app server, until they are carried out or refused."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from random import Random
from types import TracebackType
from typing import TypeVar

import msgspec

from tiebreak.load_test.answering import TEMPORARY_CODES, TEMPORARY_STATUSES
from tiebreak.load_test.http_client import HttpClient, Reply, Unanswered, pause_seconds
from tiebreak.load_test.replies import Problem, decoded

# Shorter than some stalls: then the first request is carried out after the second one.
ATTEMPT_SECONDS = 6.0
LONGEST_PAUSE_SECONDS = 2.0

Described = TypeVar("Described")


class Refused(msgspec.Struct, frozen=True):
    """A refusal for good."""

    code: str


class Again(msgspec.Struct, frozen=True):
    """Nobody knows whether it was carried out."""

    reason: str
    after_seconds: float = 0.0


class Origins:
    """All app servers, each with connections of its own."""

    def __init__(self, origins: list[str], random: Random) -> None:
        self.all = origins
        self.random = random
        self.retries: Counter[str] = Counter()
        self.strange: list[str] = []
        self._clients = [HttpClient(origin, attempt_seconds=ATTEMPT_SECONDS) for origin in origins]

    async def __aenter__(self) -> Origins:
        async with AsyncExitStack() as closing:
            for client in self._clients:
                await closing.enter_async_context(client)
            self._closing = closing.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._closing.aclose()

    def any(self) -> str:
        return self.random.choice(self.all)

    async def attempt(
        self, method: str, path: str, *, token: str = "", body: object = None, server: int | None = None
    ) -> Reply | Again | Refused:
        """One request to some app server, or to that one: a reply of 200 or 201, or what is said instead."""
        client = self.random.choice(self._clients) if server is None else self._clients[server]
        try:
            reply = await client.call(method, path, token=token, body=body)
        except Unanswered as unanswered:
            return Again(unanswered.reason)
        if reply.status in {200, 201}:
            return reply
        problem = decoded(reply.body, Problem)
        code = problem.code if problem and problem.code else f"status {reply.status}"
        if reply.status == 503 and not reply.retry_after_seconds:
            self.strange.append(f"a 503 ({code}) of {path} had no Retry-After")
        if reply.status in TEMPORARY_STATUSES or code in TEMPORARY_CODES:
            return Again(f"{reply.status} {code}", reply.retry_after_seconds)
        return Refused(code)

    async def insist(self, method: str, path: str, *, token: str = "", body: object = None) -> Reply | Refused:
        """The same until it is one or the other."""
        attempt = 0
        while True:
            attempt += 1
            said = await self.attempt(method, path, token=token, body=body)
            if not isinstance(said, Again):
                return said
            await self.pause(attempt, said)

    async def pause(self, attempt: int, again: Again) -> None:
        self.retries[again.reason] += 1
        await asyncio.sleep(min(pause_seconds(attempt, again.after_seconds, self.random), LONGEST_PAUSE_SECONDS))

    async def insist_on(
        self, described: type[Described], method: str, path: str, *, token: str = "", body: object = None
    ) -> Described:
        """The same; ChaosFailed if it is refused, which nothing that breaks can explain."""
        said = await self.insist(method, path, token=token, body=body)
        if isinstance(said, Refused):
            raise ChaosFailed(f"{method} {path} was refused: {said.code}")
        return msgspec.json.decode(said.body, type=described)


class ChaosFailed(Exception):  # noqa: N818 - says what happened, as everywhere in this code base
    """A round could not be played to its end; the message says why."""
