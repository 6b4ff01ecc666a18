"""Live sessions' lobbies: newcomers are taken in, one batch of them at a time in each session.

A name is had once, a team grows evenly, and nobody is host and player: each depends on who else is there. So whoever
changes that holds the session's lock (lock_lobbies) until it is committed. The unique index on names stands behind it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tiebreak.database.pool import Pool, Record
from tiebreak.database.queries import sql
from tiebreak.errors import Refusal
from tiebreak.quiz.lobby import Door, Entry, Newcomer, Wish, admitted


async def enter_lobbies(pool: Pool, newcomers: Sequence[Newcomer]) -> list[Entry | Refusal]:
    """Take users into live sessions, all in one commit; their outcomes, in the same order.

    Idempotent by `id`, but for who had been removed and is back: that is the old participant, who has joined already
    when it is repeated.
    """
    sessions = [it.quiz_session_id for it in newcomers]
    keys = [(it.quiz_session_id, key) for it in newcomers if isinstance(it.wish, Wish) for _, key in it.wish.names]
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(sql("lock_lobbies"), sessions)
        doors = await connection.fetch(sql("doors"), sessions, [it.user_id for it in newcomers])
        taken = await connection.fetch(sql("names_taken"), [it for it, _ in keys], [key for _, key in keys])
        sizes = await connection.fetch(sql("team_sizes"), sessions)
        outcomes = admitted(
            newcomers,
            {row["place"] - 1: door_of(row) for row in doors},
            [(row["quiz_session_id"], row["name_key"]) for row in taken],
            {(row["quiz_session_id"], row["team"]): row["players"] for row in sizes},
        )
        entries = [it for it in outcomes if isinstance(it, Entry) and it.is_new]
        if entries:
            columns = [(it.id, it.quiz_session_id, it.user_id, it.name, it.name_key, it.team) for it in entries]
            await connection.execute(sql("enter_lobbies"), *map(list, zip(*columns, strict=True)))
    return outcomes


def door_of(row: Record) -> Door:
    return Door(**{name: row[name] for name in Door.__struct_fields__})
