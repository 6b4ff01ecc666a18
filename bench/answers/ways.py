"""The ways of an answer into the ledger and the outbox."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

import asyncpg
import msgspec
from prometheus_client import CollectorRegistry

from bench.answers.alone import ALONE
from bench.answers.room import POINTS, RIGHT, Given, Room
from tiebreak.app_server.batches import AT_ONCE
from tiebreak.app_server.commands import Answers, Outcome
from tiebreak.app_server.frozen_questions import FrozenQuestions
from tiebreak.app_server.nudge import Nudge
from tiebreak.app_server.plays import Plays
from tiebreak.app_server.ticks import Ticks
from tiebreak.cache.call_limits import CallLimit
from tiebreak.clock import SystemClock
from tiebreak.database.pool import AnyPool, Pool, open_pool
from tiebreak.errors import Refusal
from tiebreak.events import TOPIC, shard_of
from tiebreak.ids import new_id
from tiebreak.metrics import AppServerMetrics
from tiebreak.quiz.grading import grade
from tiebreak.quiz.model import ChoiceQuestion, Question
from tiebreak.redis_client import open_redis
from tiebreak.settings import Settings
from tiebreak.socket_adapter.emitter import Emitter
from tiebreak.socket_adapter.messages import UpdateScore

STEPS, PLAIN, ONE, OURS, TWICE = "steps", "one_plain", "one", "ours", "ours_twice"
# Records one answer; returns when it is acknowledged.
Way = Callable[[Given], Awaitable[None]]
ANSWER = msgspec.json.encode(RIGHT).decode()

SESSION = "SELECT state FROM quiz_sessions WHERE id = $1"
PARTICIPANT = "SELECT id, name FROM quiz_session_participants WHERE quiz_session_id = $1 AND user_id = $2"
QUESTION = """
SELECT q.type, q.prompt, q.body, l.points
FROM quiz_session_questions l JOIN questions q ON q.id = l.question_id
WHERE l.quiz_session_id = $1 AND l.question_id = $2
"""
ANSWERED = """
SELECT EXISTS (SELECT FROM participant_answers WHERE quiz_session_participant_id = $1 AND question_id = $2)
"""
INSERT_ANSWER = """
INSERT INTO participant_answers
    (id, quiz_session_participant_id, question_id, answer_id, answer, correct, score, answered_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, timestamptz 'epoch' + $8::bigint * interval '1 ms')
"""
INSERT_EVENT = """
INSERT INTO events (id, event_name, type, payload, quiz_session_id, shard) VALUES ($1, $2, $3, $4, $5, $6)
"""


def is_right(question: Question) -> bool:
    graded = grade(question, RIGHT)
    return graded is not None and graded.correct


def one_statement_per_step(pool: AnyPool, room: Room) -> Way:
    """As the flow is drawn: each check a statement, then answer and event in a transaction.

    One connection for all of an answer's steps, which spares it from being taken and given back five times.
    """

    async def record(given: Given) -> None:
        now_ms = time.time_ns() // 1_000_000
        async with pool.acquire() as connection:
            assert await connection.fetchval(SESSION, room.session_id) == "open"
            participant = await connection.fetchrow(PARTICIPANT, room.session_id, given.user_id)
            assert participant
            row = await connection.fetchrow(QUESTION, room.session_id, given.question_id)
            assert row
            correct = is_right(read_question(row["prompt"], row["body"], row["points"]))
            assert not await connection.fetchval(ANSWERED, participant["id"], given.question_id)
            points = row["points"] if correct else 0
            answer_row_id = new_id()
            payload = {
                "participant_answer_id": answer_row_id,
                "quiz_session_id": room.session_id,
                "quiz_session_participant_id": participant["id"],
                "name": participant["name"],
                "question_id": given.question_id,
                "score": points,
                "answered_at_ms": now_ms,
            }
            answer = (answer_row_id, participant["id"], given.question_id, given.answer_id, ANSWER, correct, points)
            event = (new_id(), TOPIC, "ADD_ANSWER", msgspec.json.encode(payload).decode(), room.session_id)
            async with connection.transaction():
                await connection.execute(INSERT_ANSWER, *answer, now_ms)
                await connection.execute(INSERT_EVENT, *event, shard_of(room.session_id))

    return record


def read_question(prompt: str, body: str, points: int) -> Question:
    """A question from its row."""
    stored = msgspec.json.decode(body)
    return ChoiceQuestion(prompt=prompt, choices=stored["choices"], answer=stored["answer"], points=points)


def one_statement(pool: AnyPool, room: Room) -> Way:
    """All checks and both inserts in a statement of their own. It keeps no log of answers, as (a) keeps none."""
    question = ChoiceQuestion(prompt="Which is a fruit?", choices=["stone", "pear"], answer=RIGHT, points=POINTS)

    async def record(given: Given) -> None:
        now_ms = time.time_ns() // 1_000_000
        correct = is_right(question)
        row = await pool.fetchrow(
            ALONE,
            new_id(),
            room.session_id,
            given.user_id,
            given.question_id,
            given.answer_id,
            ANSWER,
            correct,
            question.points if correct else 0,
            now_ms,
            shard_of(room.session_id),
            TOPIC,
            "ADD_ANSWER",
        )
        assert row
        assert row["new"]

    return record


@asynccontextmanager
async def ours(pool: Pool, redis_url: str, room: Room) -> AsyncIterator[Way]:
    """What the app server does for an answer, as its lane for HTTP has it done; with its ticks and nudges."""
    redis = await open_redis(redis_url)
    clock = SystemClock()
    ticks = Ticks(pool, Emitter(redis), clock)
    nudge = Nudge(pool, clock)
    answers = Answers(
        pool,
        Plays(pool, FrozenQuestions(pool), clock.now_ms),
        ticks,
        nudge,
        clock,
        AppServerMetrics(CollectorRegistry()),
        CallLimit(SystemClock(), name="answers", per_minute=1_000_000_000),
        longest_queue=Settings().limit_waiting_answers,
    )

    async def count_servers() -> int:
        return 1

    loop = asyncio.get_running_loop()

    async def record(given: Given) -> None:
        command = UpdateScore(room.session_id, given.question_id, RIGHT, given.answer_id)
        acknowledged: asyncio.Future[Outcome | Refusal | Exception] = loop.create_future()
        begun = answers.begin(given.user_id, command, acknowledged.set_result, clock.now_ms())
        # The first one has to wait for the session's questions.
        outcome = await (acknowledged if begun == "waiting" else answers.submit(given.user_id, command))
        assert isinstance(outcome, Outcome), outcome

    # As many sockets in the room as there are players: of that, ticks depend.
    running = (ticks.run(lambda _: len(room.user_ids), count_servers), nudge.run())
    background = [asyncio.create_task(part) for part in running]
    try:
        yield record
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await ticks.flush()
        await redis.aclose()


def in_turn(*ways: Way) -> Way:
    """The answers are shared out among them, as a gateway does it with app servers."""
    turns = itertools.cycle(ways)

    async def record(given: Given) -> None:
        await next(turns)(given)

    return record


@asynccontextmanager
async def opened(url: str, size: int, *, hot: int = 0) -> AsyncIterator[Pool]:
    """A pool as the app server's, whose connections are all there: none is opened while the clock runs."""
    pool = await open_pool(url, size=size, hot=hot, plans="force_generic_plan")
    try:
        await asyncio.gather(*[pool.fetch_hot("SELECT pg_sleep(0.1)") for _ in range(hot)])
        connections = [await pool.acquire() for _ in range(size - hot)]
        await asyncio.gather(*[pool.release(connection) for connection in connections])
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def opened_as_it_comes(url: str, size: int) -> AsyncIterator[AnyPool]:
    """A pool of asyncpg's own, which resets a connection after each statement, and has Postgres's way with plans."""
    async with asyncpg.create_pool(url, min_size=size, max_size=size, server_settings={"jit": "off"}) as pool:
        yield pool


class Place(NamedTuple):
    """Where answers are recorded, and whose."""

    database_url: str
    redis_url: str
    room: Room


@asynccontextmanager
async def opened_way(name: str, place: Place, pool_size: int) -> AsyncIterator[Way]:
    """One of those above, with connections of its own."""
    url, room = place.database_url, place.room
    async with AsyncExitStack() as closing:
        if name == PLAIN:
            yield one_statement(await closing.enter_async_context(opened_as_it_comes(url, pool_size)), room)
            return
        if name in (STEPS, ONE):
            pool = await closing.enter_async_context(opened(url, pool_size))
            yield (one_statement_per_step if name == STEPS else one_statement)(pool, room)
            return
        servers = []
        for _ in range(2 if name == TWICE else 1):
            pool = await closing.enter_async_context(opened(url, pool_size, hot=AT_ONCE))
            servers.append(await closing.enter_async_context(ours(pool, place.redis_url, room)))
        yield servers[0] if name == OURS else in_turn(*servers)
