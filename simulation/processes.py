"""The processes: the product's classes, put together as their main modules do, on simulated servers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

from simulation.bus_client import SimulatedConsumer, SimulatedProducer
from simulation.cache import Address, CacheClient
from simulation.database import Pool
from simulation.ids import Ids
from simulation.network import Network
from simulation.rooms import Connection, RoomReader, SimulatedEmitter, Snapshot
from simulation.servers import Servers
from simulation.shared import METRICS, VirtualClock
from simulation.virtual_loop import PROCESS, Process
from tiebreak.app_server.commands import Answers, Outcome
from tiebreak.app_server.frozen_questions import FrozenQuestions
from tiebreak.app_server.healing import Healing
from tiebreak.app_server.nudge import Nudge
from tiebreak.app_server.plays import Plays
from tiebreak.boards.audit import Auditor
from tiebreak.boards.care import BoardCare
from tiebreak.boards.reading import Boards
from tiebreak.boards.rebuild import Rebuilder
from tiebreak.cache.call_limits import CallLimit
from tiebreak.cache.incarnation import Incarnations
from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.cache.turns import Turns
from tiebreak.cache.wanted_boards import WantedBoards
from tiebreak.cache_worker.main import GROUP
from tiebreak.cache_worker.projection import Projection
from tiebreak.database.outbox import Outbox
from tiebreak.database.pool import OUTAGES as DATABASE_OUTAGES
from tiebreak.database.quiz_sessions import finish_session
from tiebreak.errors import Fault, Refusal
from tiebreak.events import TOPIC
from tiebreak.publisher_worker.relay import LEASE_SECONDS, Relay
from tiebreak.quiz.model import QuizSessionId, UserId
from tiebreak.redis_client import OUTAGES as CACHE_OUTAGES
from tiebreak.redis_client import RedisError
from tiebreak.socket_adapter.messages import Change, UpdateScore

LONGEST_QUEUE = 1_000
# A minute, of each player. Nobody comes near: limits are not simulated.
MOST_ANSWERS = 100_000
# What an app server answers with 503: the request may be sent again.
UNAVAILABLE = (*DATABASE_OUTAGES, *CACHE_OUTAGES, RedisError, Fault)


class NoTicks:
    """Rooms are not told of scores: boards carry everything that matters here."""

    def answered(self, quiz_session_id: QuizSessionId, change: Change) -> None:
        pass

    def session_changed(self, quiz_session_id: QuizSessionId) -> None:
        pass


class Machine:
    """What every process has."""

    def __init__(self, name: str, network: Network, servers: Servers) -> None:
        self.name = name
        self.process = Process(name)
        self.context = Context()
        self.context.run(PROCESS.set, self.process)
        self.network = network
        self.servers = servers
        self.clock = VirtualClock(network.loop)
        self.address = Address(servers.cache)
        self.cache = CacheClient(network, name, self.address, servers.digests)
        self.pool = Pool(network, name, servers.database)
        self.stop = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop` is set, or for ever."""
        raise NotImplementedError

    def handle(self, request: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:  # noqa: ANN401
        """Something has arrived; if we stand still it waits."""
        if self.process.is_alive:
            task = self.context.run(self.network.loop.create_task, request(*arguments))
            task.add_done_callback(self.network.loop.note_failure)

    def on_killed(self) -> None:
        """The servers see that its connections are gone."""
        self.network.later(0.01, self.servers.database.connections_lost, self.name)

    def on_moved(self) -> None:
        """The cache is another one."""


class AppServer(Machine):
    """Takes answers, shows boards, and looks after them."""

    def __init__(self, name: str, network: Network, servers: Servers, *, audit_seconds: int) -> None:
        super().__init__(name, network, servers)
        leaderboards = Leaderboards(self.cache)
        emitter = SimulatedEmitter(self.cache, servers.rooms)
        ticks = NoTicks()
        self.nudge = Nudge(self.pool, self.clock)
        self.answers = Answers(
            self.pool,
            Plays(self.pool, FrozenQuestions(self.pool), self.clock.now_ms),
            ticks,
            self.nudge,
            self.clock,
            METRICS.app_server,
            CallLimit(self.clock, name="answers", per_minute=MOST_ANSWERS),
            longest_queue=LONGEST_QUEUE,
        )
        rebuilder = Rebuilder(self.pool, leaderboards, emitter, METRICS.boards)
        self.leaderboards = leaderboards
        self.boards = Boards(self.pool, leaderboards, rebuilder)
        self.care = BoardCare(
            self.pool,
            rebuilder,
            Auditor(self.pool, leaderboards, self.clock),
            WantedBoards(self.cache),
            Incarnations(self.cache),
            Turns(self.cache),
            self.clock,
            METRICS.boards,
            audit_seconds=audit_seconds,
        )
        self.healing = Healing(self.boards, ticks, self.clock)
        self.rooms = RoomReader(network, name, self.address, self.context, self.healing.gap)
        servers.rooms.readers.append(self.rooms)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.care.run())
            group.create_task(self.healing.run(self.rooms))
            group.create_task(self.nudge.run())

    def on_killed(self) -> None:
        super().on_killed()
        self.servers.rooms.readers.remove(self.rooms)
        self.rooms.close()

    def on_moved(self) -> None:
        self.rooms.lose()

    def enter_session(
        self, connection: Connection, number: int, quiz_session_id: QuizSessionId, user_id: UserId
    ) -> None:
        """A screen's message has arrived; as app_server/sockets.py has it."""
        self.handle(self._enter_session, connection, number, quiz_session_id, user_id)

    async def _enter_session(
        self, connection: Connection, number: int, quiz_session_id: QuizSessionId, user_id: UserId
    ) -> None:
        self.rooms.enter(str(quiz_session_id), connection)
        try:
            connection.send(Snapshot(number, await self.boards.read(quiz_session_id, user_id)))
        except UNAVAILABLE:
            connection.send(Snapshot(number, None))

    def update_score(
        self, user_id: UserId, command: UpdateScore, reply: Callable[[Outcome | Refusal | None], None]
    ) -> None:
        """A player's request has arrived; `reply` gets the outcome, None for a 503."""
        self.handle(self._update_score, user_id, command, reply)

    async def _update_score(
        self, user_id: UserId, command: UpdateScore, reply: Callable[[Outcome | Refusal | None], None]
    ) -> None:
        def settle(outcome: Outcome | Refusal | Exception) -> None:
            reply(None if isinstance(outcome, Exception) else outcome)

        # The lane's way where it can be gone, as http_edge does.
        taken = self.answers.begin(user_id, command, settle, self.clock.now_ms())
        if taken == "waiting":
            return
        if isinstance(taken, Refusal):
            settle(taken)
            return
        try:
            settle(await self.answers.submit(user_id, command))
        except UNAVAILABLE as error:
            settle(error)

    def open(self, quiz_session_id: QuizSessionId) -> None:
        """The host's request has got as far as the session's board."""
        self.handle(self.boards.open, quiz_session_id)

    def finish(self, quiz_session_id: QuizSessionId) -> None:
        """The host's request has arrived."""
        self.handle(self._finish, quiz_session_id)

    async def _finish(self, quiz_session_id: QuizSessionId) -> None:
        try:
            await finish_session(self.pool, quiz_session_id)
            await self.leaderboards.expire(quiz_session_id)
        except UNAVAILABLE:
            pass


class PublisherWorker(Machine):
    """Outbox → bus."""

    def __init__(self, name: str, network: Network, servers: Servers, ids: Ids) -> None:
        super().__init__(name, network, servers)
        outbox = Outbox(self.pool, ids.new(), lease_seconds=LEASE_SECONDS)
        self._producer = SimulatedProducer(network, name, servers.bus)
        self.relay = Relay(outbox, self._producer, self.clock, METRICS.publisher)

    async def run(self) -> None:
        await self.relay.run(self.stop)

    def on_moved(self) -> None:
        self._producer.move(self.servers.bus)

    def hear_nudge(self) -> None:
        """In our own time."""
        self.network.loop.call_later(self.network.seconds(), self.relay.nudge, context=self.context)


class CacheWorker(Machine):
    """Bus → boards → rooms."""

    def __init__(self, name: str, network: Network, servers: Servers) -> None:
        super().__init__(name, network, servers)
        self._consumer = SimulatedConsumer(network, name, servers.bus, TOPIC, GROUP)
        self._graveyard = SimulatedProducer(network, name, servers.bus)
        self.projection = Projection(
            self._consumer,
            self._graveyard,
            Leaderboards(self.cache),
            WantedBoards(self.cache),
            Incarnations(self.cache),
            SimulatedEmitter(self.cache, servers.rooms),
            self.clock,
            METRICS.cache_worker,
        )

    async def run(self) -> None:
        await self.projection.run(self.stop)

    def on_moved(self) -> None:
        self._consumer.move(self.servers.bus)
        self._graveyard.move(self.servers.bus)

    def on_killed(self) -> None:
        super().on_killed()
        self._consumer.forget()
