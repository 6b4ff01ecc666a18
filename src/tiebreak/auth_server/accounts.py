"""Ways in: as a guest, with a new account, with a known one."""

from __future__ import annotations

import structlog

from tiebreak.auth_server.entry_limits import EntryLimits
from tiebreak.auth_server.hashing_turns import HashingTurns
from tiebreak.auth_server.logins import Login, Logins
from tiebreak.auth_server.passwords import Passwords
from tiebreak.database.pool import Pool
from tiebreak.database.users import (
    Account,
    add_account,
    add_guest,
    find_account,
    replace_password_hash,
)
from tiebreak.errors import Refusal
from tiebreak.ids import new_id
from tiebreak.quiz.model import UserId

log = structlog.get_logger()


class Accounts:
    """Lets users in, at most as many from one address as the limits allow."""

    def __init__(
        self, pool: Pool, logins: Logins, passwords: Passwords, limits: EntryLimits, turns: HashingTurns
    ) -> None:
        self._pool = pool
        self._logins = logins
        self._passwords = passwords
        self._limits = limits
        self._turns = turns

    async def enter_as_guest(self, name: str, *, address: str) -> Login:
        """A new guest. Each call makes another. Raises Refused if there were too many from the address."""
        self._limits.guests.count(address)
        user_id = UserId(new_id())
        async with self._pool.acquire() as connection, connection.transaction():
            await add_guest(connection, user_id, name)
            return await self._logins.start(connection, user_id, "guest")

    async def register(self, *, email: str, password: str, name: str, address: str) -> Login | Refusal:
        """A new account and its first log-in, both or neither; EMAIL_TAKEN.

        Raises Refused if there were too many from the address, or if too many wait to be hashed.
        """
        self._limits.logins.count(address)
        user_id = UserId(new_id())
        async with self._turns.turn(address):
            password_hash = await self._passwords.hash(password)
        async with self._pool.acquire() as connection, connection.transaction():
            if not await add_account(connection, user_id, name=name, email=email, password_hash=password_hash):
                return Refusal.EMAIL_TAKEN
            login = await self._logins.start(connection, user_id, "account")
        log.info("account.registered", user_id=str(user_id))
        return login

    async def log_in(self, *, email: str, password: str, address: str) -> Login | Refusal:
        """Another log-in of an account; CREDENTIALS_WRONG, which counts against the address.

        Raises Refused: with TOO_MANY_TRIES when the address has tried, or failed, too often of late; with BUSY when
        too many wait for their turn.
        """
        self._limits.logins.count(address)
        # Before the turn too: who may not try does not wait among those who may.
        await self._limits.check_failures(address)
        account = await find_account(self._pool, email)
        # A turn spans the question, the check and the count: of many tries sent at once no more than the turns
        # there are can slip in before the first failures are counted.
        async with self._turns.turn(address):
            await self._limits.check_failures(address)
            right = await self._passwords.is_right(account and account.password_hash, password)
            if not right or account is None:
                await self._limits.failures.miss(address)
                # Not whose: of a known account as of none, and the e-mail is the person's.
                log.info("login.failed", address=address)
                return Refusal.CREDENTIALS_WRONG
            await self._renew_hash(account, password)
        async with self._pool.acquire() as connection, connection.transaction():
            return await self._logins.start(connection, account.id, "account")

    async def _renew_hash(self, account: Account, password: str) -> None:
        if self._passwords.is_outdated(account.password_hash):
            new = await self._passwords.hash(password)
            await replace_password_hash(self._pool, account.id, old=account.password_hash, new=new)
            log.info("password.rehashed", user_id=str(account.id))
