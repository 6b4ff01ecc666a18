"""The measured part: the players answer as the schedule says."""

from __future__ import annotations

import asyncio
import gc
from random import Random
from time import perf_counter

from tiebreak.load_test.answering import Answering
from tiebreak.load_test.display import Display
from tiebreak.load_test.measurements import Measurements
from tiebreak.load_test.options import Options
from tiebreak.load_test.player import Player
from tiebreak.load_test.requests import LoadTestFailed, for_each
from tiebreak.load_test.screen import message_figures
from tiebreak.load_test.shapes import turns
from tiebreak.load_test.stage import Stage

# How long the last answers may take to be seen by everybody.
LAST_BOARD_SECONDS = 10.0
LOOK_SECONDS = 0.05


class Performance:
    """Of one test."""

    def __init__(
        self, options: Options, stage: Stage, answering: Answering, measurements: Measurements, display: Display
    ) -> None:
        self._options = options
        self._stage = stage
        self._answering = answering
        self._measurements = measurements
        self._display = display

    async def warm_up(self) -> None:
        """Put the pacemakers at the head of their boards. Raises LoadTestFailed."""
        pacemakers = [player for player in self._stage.players if player.pacemaker]
        self._display.begin("pacemakers", len(pacemakers))

        async def give(player: Player) -> None:
            if not await self._answering.head_start(player):
                raise LoadTestFailed(
                    "The pacemakers' first answers were not acknowledged, so nothing can be measured: "
                    "see the app server's log, or whether `tiebreak up` is still running."
                )

        await for_each(pacemakers, give, self._display.advance)
        for session in self._stage.sessions:
            for pacemaker in session.boards.pacemakers.values():
                pacemaker.is_measured = self._options.sockets
        gc.collect()
        gc.freeze()  # the players live until the end: no need to look at them again and again

    async def run(self) -> None:
        """Until all answers are settled, and seen by everybody or not."""
        options, players, measured = self._options, self._stage.players, self._measurements
        for player in players:
            player.screen.clear()
        measured.started_at = perf_counter()
        schedule = turns(
            options.shape,
            players=len(players),
            rate=options.rate,
            seconds=options.seconds,
            random=Random(options.seed),  # noqa: S311 - a schedule is no secret, and has to be the same again
        )
        for turn in schedule:
            due = measured.started_at + turn.at_seconds
            await asyncio.sleep(max(0.0, due - perf_counter()))
            # The loop's clock counts milliseconds and may be early by a part of one.
            self._answering.turn(players[turn.player], min(due, perf_counter()), right=turn.right)
        await self._answering.finish()
        self.note_messages()
        await self._wait_for_last_boards()

    def note_messages(self) -> None:
        """Keep what was received until now; only the first call counts."""
        measured = self._measurements
        if measured.started_at and not measured.ended_at:
            measured.ended_at = perf_counter()
            screens = [player.screen for player in self._stage.players] if self._options.sockets else []
            measured.messages = message_figures(screens, measured.ended_at - measured.started_at)

    async def _wait_for_last_boards(self) -> None:
        give_up_at = perf_counter() + LAST_BOARD_SECONDS
        boards = [session.boards for session in self._stage.sessions]
        while perf_counter() < give_up_at and any(it.is_waiting for it in boards):  # noqa: ASYNC110 - too many signals
            await asyncio.sleep(LOOK_SECONDS)
