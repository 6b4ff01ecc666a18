"""Guests and accounts."""

from __future__ import annotations

from typing import Literal

import msgspec

from tiebreak.database.pool import Connection, Pool
from tiebreak.database.queries import sql
from tiebreak.quiz.model import UserId


class User(msgspec.Struct, frozen=True):
    """Someone who plays; an account (which has an e-mail) also authors and hosts."""

    id: UserId
    kind: Literal["guest", "account"]
    name: str
    email: str | None


class Account(msgspec.Struct, frozen=True):
    """What a log-in is checked against."""

    id: UserId
    password_hash: str


async def add_guest(connection: Connection, user_id: UserId, name: str) -> None:
    """Add a guest."""
    await connection.execute(sql("add_guest"), user_id, name)


async def add_account(connection: Connection, user_id: UserId, *, name: str, email: str, password_hash: str) -> bool:
    """Add an account; False, and nothing is added, if the e-mail is taken."""
    return await connection.fetchrow(sql("add_account"), user_id, name, email, password_hash) is not None


async def find_user(pool: Pool, user_id: UserId) -> User | None:
    """The user of that id."""
    row = await pool.fetchrow(sql("find_user"), user_id)
    return User(row["id"], row["kind"], row["name"], row["email"]) if row else None


async def find_account(pool: Pool, email: str) -> Account | None:
    """The account of an e-mail, which must be in the form it is stored in (text.clean_email)."""
    row = await pool.fetchrow(sql("find_account"), email)
    return Account(row["id"], row["password_hash"]) if row else None


async def replace_password_hash(pool: Pool, user_id: UserId, *, old: str, new: str) -> None:
    """Store a new hash of the same password, unless the old one is no longer there."""
    await pool.execute(sql("replace_password_hash"), user_id, old, new)
