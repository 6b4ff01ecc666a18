"""Ways in: as a guest, with a new account, with a known one."""

from __future__ import annotations

import asyncio

import structlog

from tiebreak.auth_server.failure_limit import FailureLimit
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
from tiebreak.errors import Refusal, Refused
from tiebreak.ids import new_id
from tiebreak.quiz.model import UserId

log = structlog.get_logger()


class Accounts:
    """Lets users in. `at_once` log-ins are checked at a time, as many as there are password hashers."""

    def __init__(
        self, pool: Pool, logins: Logins, passwords: Passwords, failures: FailureLimit, *, at_once: int
    ) -> None:
        self._pool = pool
        self._logins = logins
        self._passwords = passwords
        self._failures = failures
        self._turns = asyncio.Semaphore(at_once)

    async def enter_as_guest(self, name: str) -> Login:
        """A new guest. Each call makes another."""
        user_id = UserId(new_id())
        async with self._pool.acquire() as connection, connection.transaction():
            await add_guest(connection, user_id, name)
            return await self._logins.start(connection, user_id, "guest")

    async def register(self, *, email: str, password: str, name: str) -> Login | Refusal:
        """A new account and its first log-in, both or neither; EMAIL_TAKEN."""
        user_id = UserId(new_id())
        password_hash = await self._passwords.hash(password)
        async with self._pool.acquire() as connection, connection.transaction():
            if not await add_account(connection, user_id, name=name, email=email, password_hash=password_hash):
                return Refusal.EMAIL_TAKEN
            login = await self._logins.start(connection, user_id, "account")
        log.info("account.registered", user_id=str(user_id))
        return login

    async def log_in(self, *, email: str, password: str, address: str) -> Login | Refusal:
        """Another log-in of an account; CREDENTIALS_WRONG, which counts against the address.

        Raises Refused with TOO_MANY_TRIES when the address has failed too often of late.
        """
        account = await find_account(self._pool, email)
        # A turn spans the question, the check and the count: of many tries sent at once no more than the turns
        # there are can slip in before the first failures are counted.
        async with self._turns:
            if (seconds := await self._failures.exhausted(address)) is not None:
                raise Refused(Refusal.TOO_MANY_TRIES, retry_after_seconds=seconds)
            right = await self._passwords.is_right(account and account.password_hash, password)
            if not right or account is None:
                await self._failures.count(address)
                return Refusal.CREDENTIALS_WRONG
        await self._renew_hash(account, password)
        async with self._pool.acquire() as connection, connection.transaction():
            return await self._logins.start(connection, account.id, "account")

    async def _renew_hash(self, account: Account, password: str) -> None:
        if self._passwords.is_outdated(account.password_hash):
            new = await self._passwords.hash(password)
            await replace_password_hash(self._pool, account.id, old=account.password_hash, new=new)
            log.info("password.rehashed", user_id=str(account.id))
