"""The simulated tables say what Postgres says."""

import asyncio
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from simulation.tables import Tables, Window
from tests.live_scene import LiveScene
from tests.scene import Scene, opened_pool
from tests.simulation.direct import DirectPool
from tiebreak.cache.keys import KEPT_SECONDS, LIVE_SECONDS
from tiebreak.database.answers import NewAnswer, ledger, ledger_standings, record_answers, standings
from tiebreak.database.held_answers import release_answers, release_stragglers
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
from tiebreak.quiz.model import AnswerId, QuizSessionId
from tiebreak.quiz.ranking import opened_at_ms

SET_WINDOW = (
    "UPDATE quiz_session_questions SET opens_at_ms = $3, closes_at_ms = $4, shut_at_ms = $5 "
    "WHERE quiz_session_id = $1 AND question_id = $2"
)
PLAYERS = 4
OWNERS = [UUID(int=1), UUID(int=2)]


def answers(after_ms: list[int], most: int):
    """Of participants and others, to questions of the session and others."""
    return st.lists(
        st.tuples(
            st.integers(0, PLAYERS),
            st.integers(0, 3),
            st.booleans(),
            st.sampled_from(after_ms),
            st.integers(-1, 4),
            st.sampled_from([0, 0, 0, 1]),
        ),
        min_size=1,
        max_size=most,
    )


operations = st.one_of(
    st.tuples(st.just("record"), answers([0, 1, 1_000], 5)),
    st.tuples(st.just("again")),
    st.tuples(st.just("finish")),
    st.tuples(st.just("lease"), st.integers(0, 1), st.sampled_from([0.0, 60.0])),
    st.tuples(st.just("leave"), st.integers(0, 1)),
    st.tuples(st.just("publish"), st.integers(0, 1), st.integers(1, 4)),
)
# Each question is open from 0 to 2 ms at first.
ASKED = [("ask", question, 0, 2) for question in range(3)]
# What chance seldom brings together: extra time, a close, a straggler; a participant removed while an event is held.
LIVE_STORY = [
    ("lease", 0, 60.0),
    ("extra", 0, 50),
    ("record", [(0, 0, True, 2, 0, 0)]),
    ("record", [(1, 0, True, 2, 1, 0), (2, 0, True, 1, 2, 0), (3, 0, True, 0, 3, 0)]),
    ("again",),
    ("publish", 0, 9),
    ("shut", 1, 1),
    ("record", [(0, 1, True, 1, -1, 0), (1, 1, True, 0, -1, 0)]),
    ("publish", 0, 9),
    ("sweep",),
    ("remove", 2),
    ("shut", 0, 5),
    ("release",),
    ("publish", 0, 9),
    ("remove", 2),
    ("sweep",),
    ("publish", 0, 9),
]
live_operations = st.one_of(
    *[st.tuples(st.just("record"), answers([-1, 0, 1, 2, 3], 12))] * 5,
    st.tuples(st.just("again")),
    st.tuples(st.just("finish")),
    st.tuples(st.just("lease"), st.just(0), st.just(60.0)),
    st.tuples(st.just("publish"), st.just(0), st.integers(1, 4)),
    st.tuples(st.just("ask"), st.integers(0, 2), st.sampled_from([0, 1]), st.sampled_from([1, 2])),
    *[st.tuples(st.just("shut"), st.integers(0, 2), st.sampled_from([1, 5]))] * 2,
    st.tuples(st.just("extra"), st.integers(0, PLAYERS - 1), st.sampled_from([0, 50, 400])),
    *[st.tuples(st.just("remove"), st.integers(0, PLAYERS - 1))] * 2,
    *[st.tuples(st.just("release"))] * 2,
    st.tuples(st.just("sweep")),
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
            case ("release",):
                return await release_answers(self.pool, self.session_id)
            case ("sweep",):
                return await release_stragglers(self.pool)
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
        for name in ("id", "host_id", "title", "language", "pin", "mode", "state", "opened_at", "closed_at", "options")
    }
    tables.windows.clear()
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


async def change(step, pool: Pool, scene: Scene, tables: Tables, users) -> None:
    """What hosts do, in both."""
    opened = opened_at_ms(scene.session_id)
    match step:
        case "ask", question, opens_ms, limit_ms:
            key = scene.session_id, scene.question_ids[question]
            window = Window(opened + opens_ms, opened + opens_ms + limit_ms)
            await pool.execute(SET_WINDOW, *key, window.opens_at_ms, window.closes_at_ms, None)
            tables.windows[key] = window
        case "shut", question, at_ms:
            key = scene.session_id, scene.question_ids[question]
            if window := tables.windows.get(key):
                window.shut_at_ms = opened + at_ms
                await pool.execute(SET_WINDOW, *key, window.opens_at_ms, window.closes_at_ms, window.shut_at_ms)
        case "extra", player, percent:
            id_, _ = tables.participants[scene.session_id, users[player]]
            tables.extra_time[id_] = percent
            await pool.execute(
                "UPDATE quiz_session_participants SET extra_time_percent = $2 WHERE id = $1", id_, percent
            )
        case "remove", player:
            id_, _ = tables.participants[scene.session_id, users[player]]
            tables.removed ^= {id_}
            await pool.execute(
                "UPDATE quiz_session_participants SET removed_at = CASE WHEN removed_at IS NULL THEN now() END "
                "WHERE id = $1",
                id_,
            )
        case _:
            pass


async def compare(pool: Pool, steps, *, is_live: bool) -> None:
    await pool.execute("TRUNCATE events, participant_answers")
    await pool.execute("UPDATE quiz_sessions SET state = 'finished', closed_at = '2000-01-01'")
    await pool.execute("TRUNCATE outbox_workers")
    await pool.execute("UPDATE outbox_leases SET owner = NULL, expires_at = '-infinity', version = 0")
    scene = await (LiveScene if is_live else Scene).set(pool, (100, 100, 50))
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
                    AnswerId(new_id()),
                    scene.session_id,
                    strangers[player],
                    foreign[question],
                    correct,
                    client_ids[client] if client >= 0 else None,
                    correct,
                    100 if correct else 0,
                    opened_at_ms(scene.session_id) + after_ms,
                    opened_at_ms(scene.session_id) + opens_ms if is_live else None,
                )
                for player, question, correct, after_ms, client, opens_ms in step[1]
            ]
        if is_live:
            await change(step, pool, scene, simulated.tables, users)
        said = [await side.carry_out(step, batch) for side in sides]
        assert said[0] == said[1], step
    found = [await side.found(users[0]) for side in sides]
    assert found[0] == found[1]


@pytest.mark.parametrize("is_live", [False, True], ids=["self-paced", "live"])
def test_the_simulated_tables_are_postgres(database_url, is_live):
    """Batches of answers, good, doubled, foreign and late; leases of two workers that come and go; what is removed.

    In a live session: windows that open, move and are shut, and participants who are removed and come back.
    """

    @settings(
        max_examples=40 if is_live else 60,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(st.lists(live_operations if is_live else operations, max_size=12))
    @example(LIVE_STORY if is_live else [])
    @example([*LIVE_STORY[:-4], ("remove", 3)] if is_live else [])
    def any_calls(steps):
        async def run() -> None:
            async with opened_pool(database_url) as pool:
                await compare(pool, [*ASKED, *steps] if is_live else steps, is_live=is_live)

        asyncio.run(run())

    any_calls()
