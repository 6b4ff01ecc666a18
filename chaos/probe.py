"""How soon after a fault an answer is acknowledged again, and shown again: by a lone player who always has one due."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter

import msgspec

from chaos.client import Origins
from chaos.faults import Struck
from chaos.history import Figures
from chaos.player import Player
from chaos.sessions import Session, Stored, join, open_session
from tiebreak.load_test.content import QUESTIONS, points

PACE_SECONDS = 0.3
LOOK_SECONDS = 0.02


class Sample(msgspec.Struct):
    """One answer; times are perf_counter."""

    acknowledged_at: float
    seen_at: float = float("inf")


class Probe:
    """Answers rightly, one question after the other, and waits until its screen shows the total."""

    def __init__(self, origins: Origins, host: Stored, figures: Figures) -> None:
        self._origins = origins
        self._host = host
        self._figures = figures
        self.samples: list[Sample] = []
        self.sessions: list[Session] = []
        self.players: list[Player] = []
        self.staying: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Its first session; more when it runs out of questions."""
        session = await open_session(self._origins, self._host)
        token, participant_id = await join(self._origins, session, "Probe")
        player = Player("probe", self._origins, session, token, participant_id, self._figures)
        self.sessions.append(session)
        self.players.append(player)
        self.staying.append(asyncio.create_task(player.viewer.stay()))

    async def run(self, until: asyncio.Event) -> None:
        while not until.is_set():
            player, total = self.players[-1], 0
            for question in range(1, QUESTIONS):
                await player.give(question, right=True)
                sample = Sample(perf_counter())
                self.samples.append(sample)
                total += points(question)
                while not shows(player, total) and not until.is_set():
                    await asyncio.sleep(LOOK_SECONDS)
                if until.is_set():
                    return
                sample.seen_at = perf_counter()
                await asyncio.sleep(PACE_SECONDS)
            await self.begin()


def shows(player: Player, total: int) -> bool:
    board = player.viewer.screen.board
    return board is not None and any(row.score >= total for row in board.rows)


def judge_recovery(struck: Sequence[Struck], samples: Sequence[Sample]) -> None:
    """Note for each fault how long after its end the first answer was acknowledged, and the first one shown.

    Other faults go on meanwhile: what is noted is the longest that players waited, whatever the reason.
    """
    for one in struck:
        one.acknowledged_seconds = soonest([it.acknowledged_at for it in samples], one.ended)
        one.seen_seconds = soonest([it.seen_at for it in samples], one.ended)


def soonest(moments: Sequence[float], after: float) -> float | None:
    return min((moment - after for moment in moments if after <= moment < float("inf")), default=None)
