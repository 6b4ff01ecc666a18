"""Requests that have to succeed, before the test and in the check after it; and what is said where one does not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from random import Random
from typing import TypeVar

from tiebreak.errors import Fault
from tiebreak.load_test.http_client import HttpClient, Reply, Unanswered, pause_seconds
from tiebreak.load_test.replies import Problem, decoded

ATTEMPTS = 6
AT_ONCE = 100
TEMPORARY = frozenset({500, 502, 503, 504})
TEMPORARY_OR_LIMITED = TEMPORARY | {429}

Described = TypeVar("Described")
Item = TypeVar("Item")


class LoadTestFailed(Fault):
    """The load test could not be made; the message says what to change."""

    code = "load_test_failed"


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


async def for_each(items: Iterable[Item], work: Callable[[Item], Awaitable[None]], done: Callable[[], None]) -> None:
    """Do it for each item, AT_ONCE of them at a time; `done` is called after each. The first failure ends it all."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)
            done()

    workers = [asyncio.create_task(worker()) for _ in range(AT_ONCE)]
    try:
        await asyncio.gather(*workers)
    finally:
        for one in workers:
            one.cancel()


def not_carried_out(what: str, reply: Reply) -> LoadTestFailed:
    """Says what could not be done, and what to do about it."""
    problem = decoded(reply.body, Problem) or Problem(title=f"HTTP status {reply.status}")
    said = problem.detail or problem.title or problem.code
    match reply.status:
        case 429:
            return LoadTestFailed(
                f"{what} was refused by a limit ({said}). All players come from one address: raise the gateway's "
                "limits with TIEBREAK_LIMIT_GATEWAY_PERCENT=10000 for the time of the test, or ask for fewer players."
            )
        case 404:
            return LoadTestFailed(f"{what} found nothing at this address ({said}). Is the URL that of a Tiebreak?")
        case _:
            return LoadTestFailed(f"{what} was answered with {reply.status}: {said}. The server's log says more.")


def socket_refused(code: str, said: str) -> LoadTestFailed:
    """A socket is not let in, for good."""
    return LoadTestFailed(
        f"A socket was refused: {said or code}. "
        + (
            "All players come from one address: raise TIEBREAK_LIMIT_SOCKETS_PER_ADDRESS of the app servers, "
            "or ask for fewer players."
            if code in {"too_many_sockets", "429"}
            else "The app server's log says more."
        )
    )
