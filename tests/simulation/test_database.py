"""The simulated tables say what Postgres says."""

import asyncio
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.scene import Scene, opened_pool
from tests.simulation.direct import DirectPool
from tiebreak.cache.keys import KEPT_SECONDS, LIVE_SECONDS
from tiebreak.database.answers import NewAnswer, ledger, ledger_standings, record_answers, standings
from tiebreak.database.outbox import Outbox
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import (
    find_participant,
    finish_session,
    load_session,
    session_questions,
    sessions_with_boards,
)
from tiebreak.ids import new_id
from tiebreak.quiz.model import QuizSessionId

PLAYERS = 4
OWNERS = [UUID(int=1), UUID(int=2)]

answers = st.lists(
    st.tuples(
        st.integers(0, PLAYERS), st.integers(0, 3), st.booleans(), st.sampled_from([0, 1, 1_000]), st.integers(-1, 4)
    ),
    min_size=1,
    max_size=5,
)
operations = st.one_of(
    st.tuples(st.just("record"), answers),
    st.tuples(st.just("again")),
    st.tuples(st.just("finish")),
    st.tuples(st.just("lease"), st.integers(0, 1), st.sampled_from([0.0, 60.0])),
    st.tuples(st.just("leave"), st.integers(0, 1)),
    st.tuples(st.just("publish"), st.integers(0, 1), st.integers(1, 4)),
)


class Side:
    """A database, with two publisher workers on it."""

    def __init__(self, pool: Pool, session_id: QuizSessionId) -> None:
        self.pool = pool
        self.session_id = session_id
        self.outboxes = [Outbox(pool, owner, lease_seconds=60.0) for owner in OWNERS]

    async def carry_out(self, operation, batch: list[NewAnswer]):
        match operation:
            case (("record" | "again"), *_):
                return await record_answers(self.pool, batch) if batch else None
            case ("finish",):
                return await finish_session(self.pool, self.session_id)
            case "lease", at, seconds:
                self.outboxes[at]._lease_seconds = seconds
                return await self.outboxes[at].lease(), self.outboxes[at].leases
            case "leave", at:
                return await self.outboxes[at].leave()
            case "publish", at, limit:
                waiting = await self.outboxes[at].waiting(limit)
                return [it.id for it in waiting], await self.outboxes[at].remove(waiting)
        return None

    async def found(self, user_id):
        return (
            sorted(await ledger(self.pool, self.session_id), key=lambda it: it.participant_answer_id),
            await standings(self.pool, self.session_id),
            await ledger_standings(self.pool, self.session_id),
            await find_participant(self.pool, self.session_id, user_id),
            await session_questions(self.pool, self.session_id),
            (await load_session(self.pool, self.session_id)).state,
            await load_session(self.pool, QuizSessionId(new_id())),
            await sessions_with_boards(self.pool, live_seconds=LIVE_SECONDS, kept_seconds=KEPT_SECONDS),
        )


async def copied(real: Pool, scene: Scene, simulated: DirectPool) -> None:
    """The session, its questions and its participants."""
    tables = simulated.tables
    [session] = await real.fetch("SELECT * FROM quiz_sessions WHERE id = $1", scene.session_id)
    tables.sessions[scene.session_id] = {
        name: session[name]
        for name in ("id", "host_id", "title", "language", "pin", "mode", "state", "opened_at", "closed_at")
    }
    tables.questions[scene.session_id] = [
        dict(row)
        for row in await real.fetch(
            "SELECT q.id, q.type, q.prompt, q.body, l.points, l.time_limit_ms, false AS is_shuffled "
            "FROM quiz_session_questions l "
            "JOIN questions q ON q.id = l.question_id WHERE l.quiz_session_id = $1 ORDER BY l.position",
            scene.session_id,
        )
    ]
    for row in await real.fetch("SELECT * FROM quiz_session_participants"):
        tables.participants[row["quiz_session_id"], row["user_id"]] = row["id"], row["name"]


async def compare(pool: Pool, steps) -> None:
    await pool.execute("TRUNCATE events, participant_answers")
    await pool.execute("UPDATE quiz_sessions SET state = 'finished', closed_at = '2000-01-01'")
    await pool.execute("TRUNCATE outbox_workers")
    await pool.execute("UPDATE outbox_leases SET owner = NULL, expires_at = '-infinity', version = 0")
    scene = await Scene.set(pool, (100, 100, 50))
    users = [(await scene.player(f"Player {at}"))[0] for at in range(PLAYERS)]
    simulated = DirectPool()
    await copied(pool, scene, simulated)
    sides = [Side(simulated, scene.session_id), Side(pool, scene.session_id)]
    client_ids = [new_id() for _ in range(5)]
    foreign = [*scene.question_ids, new_id()]
    strangers = [*users, new_id()]
    batch: list[NewAnswer] = []
    for step in steps:
        if step[0] == "record":
            batch = [
                NewAnswer(
                    new_id(),
                    scene.session_id,
                    strangers[player],
                    foreign[question],
                    correct,
                    client_ids[client] if client >= 0 else None,
                    correct,
                    100 if correct else 0,
                    (scene.session_id.int >> 80) + after_ms,
                )
                for player, question, correct, after_ms, client in step[1]
            ]
        said = [await side.carry_out(step, batch) for side in sides]
        assert said[0] == said[1], step
    found = [await side.found(users[0]) for side in sides]
    assert found[0] == found[1]


def test_the_simulated_tables_are_postgres(database_url):
    """Batches of answers, good, doubled, foreign and late; leases of two workers that come and go; what is removed."""

    @settings(
        max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(st.lists(operations, max_size=12))
    def any_calls(steps):
        async def run() -> None:
            async with opened_pool(database_url) as pool:
                await compare(pool, steps)

        asyncio.run(run())

    any_calls()
