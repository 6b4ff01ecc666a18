"""One round: sessions are played while faults happen; then everything must be as promised."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from random import Random
from time import perf_counter

import msgspec

from chaos.client import ChaosFailed, Origins
from chaos.faults import Faults, Struck
from chaos.history import Figures
from chaos.inspection import Inspection
from chaos.player import Player
from chaos.probe import Probe, judge_recovery
from chaos.schedule import Fault
from chaos.sessions import Session, Stored, finish, gathered, join, new_host, open_session
from chaos.stage import Stage
from chaos.verdict import judge_answers, judge_board, judge_rivals, judge_screens
from chaos.viewer import Viewer

# After the last fault: everything resumes by itself, within this.
QUIET_SECONDS = 45.0
# After that: boards = ledger, and every screen = its board.
SETTLE_SECONDS = 10.0
# Shares of the players of a round's sessions, and how long each of them pauses between answers.
CROWDS = ((0.4, 3.0), (0.3, 2.0), (0.2, 2.0), (0.1, 1.0))
# In the middle of the faults the last of these sessions is finished, the one before goes quiet, and one more is opened:
# no later message mends what screens of the first two miss.
LATE_PLAYERS = 5
TOO_MANY = 20


class RoundResult(msgspec.Struct):
    """What came of a round; `broken` is empty when everything was as promised."""

    number: int
    struck: list[Struck] = []
    broken: list[str] = []
    figures: Figures = msgspec.field(default_factory=Figures)
    restarts: int = 0
    seconds: float = 0.0
    # After the faults' end: until all was acknowledged, ready and published; then until boards and screens were right.
    quiet_seconds: float = 0.0
    settle_seconds: float = 0.0


class Round:
    """Its people and what they do."""

    def __init__(self, stage: Stage, origins: Origins, result: RoundResult) -> None:
        self._stage = stage
        self._origins = origins
        self._result = result
        self._sessions: list[Session] = []
        self._viewers: list[Viewer] = []
        self._playing: list[asyncio.Task[None]] = []
        self._staying: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()

    async def play(self, schedule: Sequence[Fault], players: int, told: Callable[[Fault], None]) -> None:
        """All of it. Raises ChaosFailed when it cannot be played to its end."""
        inspection = Inspection(self._stage, self._origins)
        host = await new_host(self._origins, self._result.number)
        probe = Probe(self._origins, host, self._result.figures)
        try:
            for share, pace_seconds in CROWDS:
                await self._open(host, max(2, round(players * share)), pace_seconds)
            await probe.begin()
            probing = asyncio.create_task(probe.run(self._over))
            self._playing.append(probing)
            faults = Faults(self._stage)
            self._result.struck = faults.struck
            await self._break(schedule, faults, host, told)
            self._over.set()
            self._sessions += probe.sessions
            self._viewers += [player.viewer for player in probe.players]
            self._staying += probe.staying
            await self._judge(inspection)
            judge_recovery(faults.struck, probe.samples)
        finally:
            for task in (*self._playing, *self._staying, *probe.staying):
                task.cancel()
            await asyncio.gather(*self._playing, *self._staying, *probe.staying, return_exceptions=True)
            self._count()

    async def _open(self, host: Stored, players: int, pace_seconds: float) -> None:
        """A session with players who begin to answer, and its host who looks on."""
        session = await open_session(self._origins, host)
        self._sessions.append(session)
        self._view(Viewer("host", self._origins, session, host.token))
        names = [f"Player {number}" for number in range(players)]
        joined = await gathered(*(join(self._origins, session, name) for name in names))
        for name, (token, participant_id) in zip(names, joined, strict=True):
            player = Player(name, self._origins, session, token, participant_id, self._result.figures)
            self._view(player.viewer)
            self._playing.append(asyncio.create_task(player.play(pace_seconds, self._over)))
            self._result.figures.participants += 1

    def _view(self, viewer: Viewer) -> None:
        self._viewers.append(viewer)
        self._staying.append(asyncio.create_task(viewer.stay()))

    async def _break(
        self, schedule: Sequence[Fault], faults: Faults, host: Stored, told: Callable[[Fault], None]
    ) -> None:
        """Let the faults happen, each at its time; in their middle sessions begin, fall silent and end."""
        began = perf_counter()
        striking: list[asyncio.Task[None]] = []
        async with asyncio.TaskGroup() as group:
            for place, fault in enumerate(schedule):
                await asyncio.sleep(max(0.0, began + fault.at_seconds - perf_counter()))
                if place == len(schedule) // 2:
                    striking.append(group.create_task(self._open(host, LATE_PLAYERS, 1.0)))
                    striking.append(group.create_task(finish(self._origins, self._sessions[len(CROWDS) - 1])))
                    self._sessions[len(CROWDS) - 2].is_quiet = True
                told(fault)
                striking.append(group.create_task(faults.strike(fault)))

    async def _judge(self, inspection: Inspection) -> None:
        broken = self._result.broken
        began = perf_counter()
        await self._resumed("not acknowledged", asyncio.wait_for(self._played(), QUIET_SECONDS))
        await self._resumed("readiness", self._stage.ready(seconds=QUIET_SECONDS))
        await self._resumed("outbox", inspection.outbox_is_empty(seconds=QUIET_SECONDS))
        self._result.quiet_seconds = perf_counter() - began
        for session in self._sessions:
            broken += judge_answers(session.history, await inspection.ledger(session))
            broken += judge_rivals(session.history.given)
        await self._settled(inspection)
        for session in self._sessions:
            broken += session.watch.broken + session.history.strange
        broken += self._origins.strange + self._stage.take_incidents() + inspection.dead_events()
        del broken[TOO_MANY:]

    async def _played(self) -> None:
        await asyncio.gather(*self._playing)

    async def _resumed(self, what: str, work: Awaitable[None]) -> None:
        """Wait for it; that it does not come is a broken promise, and the round goes on."""
        try:
            await work
        except TimeoutError as error:
            self._result.broken.append(f"{what}, {QUIET_SECONDS:.0f} s after the last fault: {error}")

    async def _settled(self, inspection: Inspection) -> None:
        """Wait until boards and screens are right; what is not in time is broken."""
        began = perf_counter()
        while (wrong := await self._wrong(inspection)) and perf_counter() - began < SETTLE_SECONDS:
            await asyncio.sleep(0.1)
        self._result.settle_seconds = perf_counter() - began
        self._result.broken += wrong

    async def _wrong(self, inspection: Inspection) -> list[str]:
        """What boards and screens do not show yet; of the first session that is not right."""
        for session in self._sessions:
            standings = await inspection.standings(session)
            wrong: list[str] = []
            try:
                for server in range(len(self._stage.origins)):
                    board = await inspection.board(session, server)
                    where = f"the board of {session.id} on app server {server + 1}"
                    wrong += judge_board(where, board.participants, board.rows, standings)
            except ChaosFailed as failed:
                return [str(failed)]
            viewers = [viewer for viewer in self._viewers if viewer.session is session]
            screens = {f"{it.name} in {session.id}": it.screen.board if it.is_in_step else None for it in viewers}
            wrong += judge_screens(screens, board)
            if wrong:
                return wrong
        return []

    def _count(self) -> None:
        figures = self._result.figures
        figures.sessions += len(self._sessions)
        figures.retries += self._origins.retries
        figures.connections_lost += sum(viewer.connections_lost for viewer in self._viewers)
        figures.boards_shown += sum(viewer.screen.boards_shown for viewer in self._viewers)
        figures.late_messages += sum(viewer.screen.late for viewer in self._viewers)
        figures.epochs += sum(len(session.watch.epochs) for session in self._sessions)


async def play_round(
    stage: Stage, number: int, schedule: Sequence[Fault], *, seed: int, players: int, told: Callable[[Fault], None]
) -> RoundResult:
    """Play it; what keeps it from its end is among what is broken."""
    result = RoundResult(number)
    began = perf_counter()
    restarts = sum(process.restarts for process in stage.processes.values())
    async with AsyncExitStack() as closing:
        origins = await closing.enter_async_context(Origins(stage.origins, Random(f"players {seed}/{number}")))
        try:
            await stage.ready(seconds=QUIET_SECONDS)
            await Round(stage, origins, result).play(schedule, players, told)
        except (ChaosFailed, TimeoutError, ExceptionGroup) as error:
            result.broken.append(f"the round could not be played: {error!r}")
    result.restarts = sum(process.restarts for process in stage.processes.values()) - restarts
    result.seconds = perf_counter() - began
    return result
