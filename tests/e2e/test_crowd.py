"""A whole room at the same instant: every answer counts, once."""

import asyncio
from uuid import uuid4

import asyncpg
from redis.asyncio import Redis

from tests.client import RIGHT, WRONG
from tests.scene import opened_pool
from tiebreak.cache.keys import board_keys
from tiebreak.database.answers import standings

PLAYERS = 300


async def whole_board(caller, session):
    """Every row, page by page."""
    rows = []
    while True:
        page = await caller.leaderboard(session, limit=100, offset=len(rows))
        rows += page["rows"]
        if not page["rows"]:
            return page["participants"], rows


async def board_equals_ledger(system, caller, session, seconds=10):
    """Wait until the board shows what the ledger has; the ledger's rows."""
    async with opened_pool(system.database_url) as pool, asyncio.timeout(seconds):
        while True:
            expected = [
                {
                    "rank": row.rank,
                    "quiz_session_participant_id": str(row.quiz_session_participant_id),
                    "name": row.name,
                    "score": row.score,
                }
                for row in await standings(pool, session)
            ]
            participants, rows = await whole_board(caller, session)
            if rows == expected:
                assert participants == len(expected)
                return expected
            await asyncio.sleep(0.05)


async def counted(system, session):
    """(rows in participant_answers, answers counted on the board) of a session."""
    database = await asyncpg.connect(system.database_url)
    rows = await database.fetchval(
        "SELECT count(*) FROM participant_answers a JOIN quiz_session_participants p "
        "ON p.id = a.quiz_session_participant_id WHERE p.quiz_session_id = $1",
        session,
    )
    await database.close()
    async with Redis.from_url(system.redis_url) as redis:
        return rows, await redis.scard(board_keys(session)[1])


async def test_room_joins_and_answers_at_once(system, master):
    """300 join, then all answer at the same instant, four times: acknowledged = ledger = board."""
    host = await master.account()
    session, questions = await master.session(host)
    players = [await master.guest(f"Player {at}") for at in range(PLAYERS)]
    joins = await asyncio.gather(*(player.join(session) for player in players))
    assert [it.status_code for it in joins] == [200] * PLAYERS
    acknowledged = 0
    for at, question in enumerate(questions):
        responses = await asyncio.gather(
            *(
                player.answer(session, question, (RIGHT if (at + number) % 3 else WRONG)[at], str(uuid4()))
                for number, player in enumerate(players)
            )
        )
        acknowledged += sum(response.status_code == 200 for response in responses)
    assert acknowledged == PLAYERS * len(questions)
    rows = await board_equals_ledger(system, host, session)
    assert len(rows) == PLAYERS
    assert await counted(system, session) == (acknowledged, acknowledged)


async def test_one_answer_ten_times_at_once(system, master):
    """One row, one score; with its answer_id every sender gets the same 200."""
    session, questions = await master.session(await master.account())
    ann, bob = await master.guest("Ann"), await master.guest("Bob")
    await ann.join(session)
    await bob.join(session)
    answer_id = str(uuid4())
    with_id = await asyncio.gather(*(ann.answer(session, questions[0], 1, answer_id) for _ in range(10)))
    assert {(response.status_code, response.text) for response in with_id} == {(200, with_id[0].text)}
    without_id = await asyncio.gather(*(bob.answer(session, questions[0], 1) for _ in range(10)))
    assert sorted(response.status_code for response in without_id) == [200] + [400] * 9
    rows = await board_equals_ledger(system, ann, session)
    assert sorted((row["name"], row["score"]) for row in rows) == [("Ann", 100), ("Bob", 100)]
    assert await counted(system, session) == (2, 2)
