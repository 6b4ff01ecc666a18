"""What app servers tell rooms, and how often: real stores, and a clock that stands still."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from tests.scene import Scene, opened_pool
from tests.standing_clock import StandingClock
from tiebreak.app_server.ticks import Ticks
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import finish_session
from tiebreak.ids import new_id
from tiebreak.quiz.model import ParticipantId, QuestionId, QuizSessionId
from tiebreak.redis_client import Redis, open_redis
from tiebreak.socket_adapter.emitter import Emitter
from tiebreak.socket_adapter.messages import Change, RoomMessage
from tiebreak.socket_adapter.redis_streams.stream_names import STREAM


def change() -> Change:
    return Change(ParticipantId(new_id()), QuestionId(new_id()), 100)


@dataclass
class Servers:
    """App servers that share rooms, as far as their ticks."""

    pool: Pool
    redis: Redis
    clock: StandingClock
    ticks: Sequence[Ticks]
    idle_sessions: list[QuizSessionId] = field(default_factory=list)

    async def messages(self, room: QuizSessionId, event: str) -> list[dict]:
        """What the room was sent, oldest first."""
        packets = [json.loads(fields[b"data"])["packet"]["data"] for _, fields in await self.redis.xrange(STREAM)]
        return [payload for name, payload in packets if name == event and payload["quiz_session_id"] == str(room)]

    async def until(self, count: int, room: QuizSessionId, event: str) -> None:
        async with asyncio.timeout(20):
            while len(await self.messages(room, event)) < count:
                await asyncio.sleep(0)

    async def scores_settled(self) -> None:
        """Every `score_update` that is due now is sent: each server also told a room that had been quiet."""
        rooms = [QuizSessionId(new_id()) for _ in self.ticks]
        for ticks, room in zip(self.ticks, rooms, strict=True):
            ticks.answered(room, change())
        for room in rooms:
            await self.until(1, room, "score_update")

    async def sessions_settled(self) -> None:
        """Every `session_update` that is due now is sent."""
        for ticks in self.ticks:
            quiet = (await Scene.set(self.pool)).session_id
            ticks.session_changed(quiet)
            await self.until(1, quiet, "session_update")


@asynccontextmanager
async def running(database_url: str, redis_url: str, *, servers: int = 1, sockets: int = 0) -> AsyncIterator[Servers]:
    """So many app servers, each with so many sockets in every room."""
    redis = await open_redis(redis_url)
    clock = StandingClock()

    def count_in(room: str) -> int:
        assert UUID(room)
        return sockets

    async def count_servers() -> int:
        return servers

    async with opened_pool(database_url) as pool:
        ticks = [Ticks(pool, Emitter(redis), clock) for _ in range(servers)]
        loops = [asyncio.create_task(each.run(count_in, count_servers)) for each in ticks]
        try:
            # Each has counted the servers by then.
            await asyncio.sleep(0)
            running_servers = Servers(pool, redis, clock, ticks)
            await running_servers.scores_settled()
            yield running_servers
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.wait(loops)
            await redis.aclose()


@pytest.mark.parametrize(("sockets", "expected"), [(0, 10), (1_000, 10), (5_000, 4), (100_000, 1)])
async def test_a_crowd_that_answers_is_few_messages(database_url, redis_url, sockets, expected):
    """The first answer at once, then ten messages a second, fewer in a large room; no answer is left out."""
    async with running(database_url, redis_url, sockets=sockets) as servers:
        room = QuizSessionId(new_id())
        for _ in range(100):
            servers.ticks[0].answered(room, change())
            await servers.scores_settled()
            servers.clock.advance(seconds=0.01)
        updates = await servers.messages(room, "score_update")
        assert len(updates) == expected
        await servers.ticks[0].flush()
        updates = await servers.messages(room, "score_update")
        assert sum(len(it["changes"]) + it["more"] for it in updates) == 100
        assert (len(updates[0]["changes"]), updates[0]["more"]) == (1, 0)


async def test_a_message_names_the_first_fifty(database_url, redis_url):
    """And how many more there were."""
    async with running(database_url, redis_url) as servers:
        room, changes = QuizSessionId(new_id()), [change() for _ in range(120)]
        for it in changes:
            servers.ticks[0].answered(room, it)
        await servers.until(1, room, "score_update")
        [update] = await servers.messages(room, "score_update")
        assert [it["quiz_session_participant_id"] for it in update["changes"]] == [
            str(it.quiz_session_participant_id) for it in changes[:50]
        ]
        assert update["more"] == 70


async def test_who_joins_is_counted_twice_a_second(database_url, redis_url):
    """The first at once; in the end everybody."""
    async with running(database_url, redis_url) as servers:
        scene = await Scene.set(servers.pool)
        for _ in range(20):
            await scene.player()
            servers.ticks[0].session_changed(scene.session_id)
            await servers.sessions_settled()
            servers.clock.advance(seconds=0.05)
        await servers.sessions_settled()
        updates = await servers.messages(scene.session_id, "session_update")
        counts = [it["participant_count"] for it in updates]
        assert (len(counts), counts[0], counts[-1]) == (3, 1, 20)
        assert {it["state"] for it in updates} == {"open"}


@pytest.mark.parametrize("count", [1, 2, 5])
async def test_more_servers_are_not_more_messages(database_url, redis_url, count):
    """With answers and joins on all of them all the time, a room gets ten and two a second from all together.

    Each tells the first change at once: that may be one message more of each.
    """
    seconds = 4
    async with running(database_url, redis_url, servers=count) as servers:
        scene = await Scene.set(servers.pool)
        for _ in range(20 * seconds):
            for ticks in servers.ticks:
                ticks.answered(scene.session_id, change())
                ticks.session_changed(scene.session_id)
            await servers.scores_settled()
            servers.clock.advance(seconds=0.05)
        await servers.sessions_settled()
        scores = await servers.messages(scene.session_id, "score_update")
        sessions = await servers.messages(scene.session_id, "session_update")
        assert 7 * seconds <= len(scores) <= 10 * seconds + count
        assert 1 * seconds <= len(sessions) <= 2 * seconds + count


async def test_the_end_of_a_session_is_told_at_once(database_url, redis_url):
    """However many servers there are, and though the room was told of joins just now; then it rests again."""
    async with running(database_url, redis_url, servers=10) as servers:
        scene = await Scene.set(servers.pool)
        servers.ticks[0].session_changed(scene.session_id)
        await servers.sessions_settled()
        await finish_session(servers.pool, scene.session_id)
        servers.ticks[0].session_changed(scene.session_id, at_once=True)
        await servers.sessions_settled()
        servers.ticks[0].session_changed(scene.session_id)
        await servers.sessions_settled()
        updates = await servers.messages(scene.session_id, "session_update")
        assert [it["state"] for it in updates] == ["open", "finished"]


class SlowEmitter(Emitter):
    """Before its first messages leave, something else happens."""

    def __init__(self, redis: Redis, happens: Callable[[], Awaitable[None]]) -> None:
        super().__init__(redis)
        self._happens: Callable[[], Awaitable[None]] | None = happens

    async def emit(self, messages: Sequence[tuple[QuizSessionId, RoomMessage]]) -> None:
        happens, self._happens = self._happens, None
        if happens:
            await happens()
        await super().emit(messages)


async def test_the_end_of_a_session_has_the_last_word(database_url, redis_url):
    """A server reads that it is open, and says so after another has told its end: it says the end again."""
    redis = await open_redis(redis_url)
    async with opened_pool(database_url) as pool:
        ended, open_still = [(await Scene.set(pool)).session_id for _ in range(2)]
        quick = Ticks(pool, Emitter(redis), StandingClock())

        async def end() -> None:
            await finish_session(pool, ended)
            quick.session_changed(ended)
            await quick.flush()

        slow = Ticks(pool, SlowEmitter(redis, end), StandingClock())
        slow.session_changed(ended)
        slow.session_changed(open_still)
        await slow.flush()
        servers = Servers(pool, redis, StandingClock(), [quick, slow])
        states = [it["state"] for it in await servers.messages(ended, "session_update")]
        assert states == ["finished", "open", "finished"]
        assert [it["state"] for it in await servers.messages(open_still, "session_update")] == ["open"]
    await redis.aclose()


async def test_the_end_of_a_session_is_told_after_an_outage(database_url, redis_url):
    """Scores that are lost the next board heals; that a session ended is said again until it was heard."""
    redis = await open_redis(redis_url)
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        # Its loops do not run: it tells when the test wants it to.
        ticks = Ticks(pool, Emitter(redis), StandingClock())
        await finish_session(pool, scene.session_id)
        ticks.answered(scene.session_id, change())
        ticks.session_changed(scene.session_id)
        await redis.set(STREAM, "takes no messages")
        await ticks.flush()
        await redis.delete(STREAM)
        await ticks.flush()
        await ticks.flush()
        [(_, fields)] = await redis.xrange(STREAM)
        event, payload = json.loads(fields[b"data"])["packet"]["data"]
        assert (event, payload["state"]) == ("session_update", "finished")
    await redis.aclose()
