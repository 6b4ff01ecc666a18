"""One load test from beginning to end."""

from __future__ import annotations

import asyncio
from random import Random
from time import time

from tiebreak.load_test.answering import Answering
from tiebreak.load_test.display import Display
from tiebreak.load_test.generator import Generator
from tiebreak.load_test.http_client import HttpClient
from tiebreak.load_test.inspection import Inspection
from tiebreak.load_test.measurements import Measurements
from tiebreak.load_test.options import Options
from tiebreak.load_test.performance import Performance
from tiebreak.load_test.report import AnswerFigures, BoardFigures, Report, judge
from tiebreak.load_test.requests import LoadTestFailed, Requests
from tiebreak.load_test.stage import Stage
from tiebreak.load_test.upkeep import renew_tokens, show_figures
from tiebreak.load_test.verdict import Verdict


class LoadTest:
    """The parts of a test, in their order."""

    def __init__(self, options: Options, http: HttpClient, display: Display) -> None:
        random = Random()  # noqa: S311 - of pauses between attempts
        self._options = options
        self._display = display
        self._measurements = Measurements()
        self._generator = Generator()
        self._requests = Requests(http, options.url.rstrip("/"), random)
        self._stage = Stage(self._requests, options, self._measurements.visibility, display, random)
        self._answering = Answering(http, options.over, self._measurements, random)
        self._performance = Performance(options, self._stage, self._answering, self._measurements, display)
        self._verdict: Verdict | None = None
        self._failures: list[str] = []
        self._started_at_ms = round(time() * 1000)

    async def run(self) -> None:
        """All of it. May be cancelled at any time: report() tells how far it came.

        Raises LoadTestFailed if the players could not even begin.
        """
        try:
            await self._stage.set()
            await unless_ended(
                asyncio.create_task(self._perform_and_check()),
                asyncio.create_task(renew_tokens(self._stage, self._measurements)),
            )
        finally:
            self._display.end()

    async def clear(self) -> None:
        """Remove what can be removed, if anybody still answers."""
        await self._stage.clear()

    def report(self, *, interrupted: bool) -> Report:
        """What was found."""
        measured = self._measurements
        for session in self._stage.sessions:
            session.boards.settle()
        seen = measured.visibility
        return judge(
            Report(
                started_at_ms=self._started_at_ms,
                options=self._options,
                interrupted=interrupted,
                seconds=round(measured.ended_at - measured.started_at, 3),
                answers=AnswerFigures(
                    due=measured.due,
                    acknowledged=measured.acknowledged.count,
                    acknowledged_per_second=round(measured.per_second, 1),
                    refused=dict(measured.refused),
                    unacknowledged=measured.unacknowledged,
                    unsettled=measured.unsettled,
                    retries=dict(measured.retries),
                ),
                acknowledgement=measured.acknowledged.figures(),
                board=BoardFigures(seen.pairs.figures(), seen.last_player.figures(), seen.unseen_pairs)
                if self._options.sockets
                else None,
                messages=measured.messages,
                messages_malformed=sum(player.messages_malformed for player in self._stage.players),
                connections_lost=sum(player.connections_lost for player in self._stage.players),
                renewals_failed=dict(measured.renewals_failed),
                generator=self._generator.figures(),
                verdict=self._verdict,
                failures=self._failures,
            )
        )

    async def _perform_and_check(self) -> None:
        await self._perform()
        await self._check()

    async def _perform(self) -> None:
        await self._performance.warm_up()
        await self._stage.look_at_boards()
        self._generator.start()
        showing = asyncio.create_task(show_figures(self._measurements, self._options.seconds, self._display))
        try:
            await self._performance.run()
        finally:
            self._performance.note_messages()
            self._generator.stop()
            self._answering.abandon()
            showing.cancel()

    async def _check(self) -> None:
        try:
            self._verdict = await Inspection(self._requests, self._stage, self._display).inspect()
        except LoadTestFailed as failed:
            self._failures.append(f"The answers could not be checked. {failed}")


async def unless_ended(work: asyncio.Task[None], beside: asyncio.Task[None]) -> None:
    """Wait for `work`. What goes on `beside` it for ever ends with it, or ends it by an exception, which is raised."""
    both = {work, beside}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        await (beside if beside.done() else work)
    finally:
        for task in both:
            task.cancel()
        await asyncio.wait(both)
