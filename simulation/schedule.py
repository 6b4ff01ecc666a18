"""One schedule: a small installation, some quiz sessions, and whatever goes wrong in some seconds of its life."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from random import Random

import msgspec

from simulation.accidents import Accidents
from simulation.history import History
from simulation.ids import Ids, foretold
from simulation.installation import Installation
from simulation.judge import Judge
from simulation.network import Network
from simulation.players import Player
from simulation.screens import Screen
from simulation.shared import START_MS, VirtualClock
from simulation.virtual_loop import VirtualLoop
from simulation.weather import Weather, drawn
from tiebreak.quiz.model import QuestionId, QuizSessionId, UserId

POINTS = (100, 100, 50)
# While things go wrong.
SHORTEST_SECONDS, LONGEST_SECONDS = 2.0, 5.0
# Afterwards, until all is as it must be: leases, claims, and those who were taken for dead.
SETTLE_SECONDS = 60.0
LOOK_SECONDS = 0.25
# From a session to its board: mostly soon.
LATEST_OPEN_SECONDS = 3.0


class Result(msgspec.Struct):
    """What came of a schedule."""

    seed: int
    violations: list[str]
    faults: Counter[str]
    answers: int
    virtual_seconds: float
    history: History


class Schedule:
    """Everything in it follows from its seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = Random(seed)
        self._loop = VirtualLoop()
        self._clock = VirtualClock(self._loop)
        self._history = History(self._loop.time)
        self._network = Network(self._loop, self._random, drawn(self._random), self._history)
        self._ids = Ids(self._random, self._clock.now_ms)
        self._violations: list[str] = []
        self._installation = Installation(self._network, self._ids, self._violated)
        self._servers = self._installation.servers
        self._judge = Judge(self._servers.database.tables, self._violated)
        self._installation.judge = self._judge
        self._screens: list[Screen] = []

    def _violated(self, what: str) -> None:
        self._history.add("judge", "VIOLATED", what)
        self._violations.append(what)

    def run(self) -> Result:
        """To its end."""
        with foretold(self._ids):
            try:
                self._loop.run(self._loop.create_task(self._main()))
                for error in self._loop.errors:
                    self._violated(f"somebody failed: {error.get('exception')!r} {error.get('message', '')}")
            finally:
                self._loop.wind_up()
        return Result(
            self._seed,
            self._violations,
            self._network.faults,
            len(self._servers.database.tables.rows),
            self._loop.time(),
            self._history,
        )

    async def _main(self) -> None:
        random, loop = self._random, self._loop
        self._installation.start()
        seconds = SHORTEST_SECONDS + random.random() * (LONGEST_SECONDS - SHORTEST_SECONDS)
        players = [loop.create_task(self._session(seconds)) for _ in range(random.randint(1, 2))]
        accidents = Accidents(self._network, self._installation, self._judge, self._screens)
        accidents.plan(seconds)
        await asyncio.sleep(seconds)

        self._network.weather = Weather()
        accidents.end()
        await asyncio.sleep(max(0.0, self._network.busy_until - loop.time()) + 0.01)
        await self._all_done(players)
        # Whoever reads a board mends it; that one of its keys was evicted nobody sees who does not read it.
        if self._network.faults["key_evicted"] or random.random() < 0.5:
            for session_id in self._servers.database.tables.sessions:
                self._show(QuizSessionId(session_id), "visitor")
        await self._settled()
        self._judge.check_answers()

    async def _all_done(self, players: list[asyncio.Task[None]]) -> None:
        """Nobody waits for an outcome for ever."""
        _, waiting = await asyncio.wait(players, timeout=SETTLE_SECONDS)
        if waiting:
            self._violated(f"{len(waiting)} players wait for an outcome")

    async def _settled(self) -> None:
        """Until all is well, and a second later still is."""
        ends = self._loop.time() + SETTLE_SECONDS
        was_well = False
        while True:
            problem = self._judge.unsettled(self._servers.cache, self._screens)
            if problem is None and was_well:
                return
            if self._loop.time() > ends:
                self._violated(f"{SETTLE_SECONDS:.0f} s after the last fault {problem}")
                return
            was_well = problem is None
            await asyncio.sleep(1.0 if was_well else LOOK_SECONDS)

    async def _session(self, seconds: float) -> None:
        """A quiz session from its opening to its last answer."""
        session_id, questions, users = self._set_up()
        server = self._installation.app_server()
        if server is not None and self._random.random() < 0.8:
            # Who answers need not have waited for it. Else the server was killed between the session and its board.
            self._network.later(self._random.random() ** 3 * LATEST_OPEN_SECONDS, server.open, session_id)
        # Some are watched by nobody.
        for number in range(0 if self._random.random() < 0.3 else 2):
            self._show(session_id, f"screen-{number}")
        await asyncio.gather(*(self._answers(user_id, session_id, questions, seconds) for user_id in users))

    def _set_up(self) -> tuple[QuizSessionId, list[QuestionId], list[UserId]]:
        """A session and its participants in the database."""
        random, tables = self._random, self._servers.database.tables
        session_id = QuizSessionId(self._ids.new())
        host_id = UserId(self._ids.new())
        tables.sessions[session_id] = {
            "id": session_id,
            "host_id": host_id,
            "title": "A quiz",
            "language": "en",
            "pin": "123456",
            "mode": "self_paced",
            "state": "open",
            "opened_at": datetime.fromtimestamp(START_MS / 1000, UTC),
            "closed_at": None,
        }
        questions = [QuestionId(self._ids.new()) for _ in POINTS]
        tables.questions[session_id] = [
            {"id": id_, "type": "true_false", "prompt": "?", "body": '{"answer":true}', "points": points}
            | {"time_limit_ms": None, "is_shuffled": False}
            for id_, points in zip(questions, POINTS, strict=True)
        ]
        users = [UserId(self._ids.new()) for _ in range(random.randint(2, 4))]
        for number, user_id in enumerate(users):
            tables.participants[session_id, user_id] = self._ids.new(), f"Player {number}"
        return session_id, questions, users

    def _show(self, session_id: QuizSessionId, name: str) -> None:
        user_id = next(user for session, user in self._servers.database.tables.participants if session == session_id)
        screen = Screen(
            f"{name}-{str(session_id)[-4:]}",
            self._network,
            session_id,
            user_id,
            app_server=self._installation.app_server,
            on_shown=self._judge.shown,
        )
        self._screens.append(screen)
        self._loop.create_task(screen.run()).add_done_callback(self._loop.note_failure)

    async def _answers(
        self, user_id: UserId, session_id: QuizSessionId, questions: list[QuestionId], seconds: float
    ) -> None:
        player = Player(
            self._network,
            self._ids,
            session_id,
            user_id,
            app_server=self._installation.app_server,
            witness=self._judge,
        )

        async def one(question_id: QuestionId) -> None:
            # Many at the same moments: batches, and ties.
            await asyncio.sleep(round(self._random.random() * seconds, 1))
            await player.answer(question_id)

        await asyncio.gather(*map(one, questions))
