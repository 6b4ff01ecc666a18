"""Postgres, and the pool that a process has of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any

import asyncpg

from simulation.network import Network, Server
from simulation.tables import LEASE_STATEMENTS, LOCK_LEASES, NUDGE, STATEMENTS, LeaseTables, Row, Tables

OUTAGES = (ConnectionResetError("The connection is lost."), TimeoutError("No reply in time."))
# As lock_leases sets them.
LOCK_TIMEOUT_SECONDS = 2.0
IDLE_TIMEOUT_SECONDS = 3.0


class Busy(Exception):  # noqa: N818 - says what is so
    """Another transaction has the lock."""


class Transaction:
    """One that is open in the server."""

    def __init__(self, who: str) -> None:
        self.who = who
        self.is_over = False
        self.idle_since = 0.0
        # Its own view of the leases, once it has the lock.
        self.own: LeaseTables | None = None


class DatabaseServer(Server):
    """One Postgres. What is committed survives everything."""

    def __init__(self, tables: Tables, on_nudge: Callable[[], None]) -> None:
        super().__init__("database")
        self.tables = tables
        self.on_nudge = on_nudge
        self._transactions: list[Transaction] = []
        self._holder: Transaction | None = None

    def go_down(self) -> None:
        super().go_down()
        for transaction in list(self._transactions):
            self.roll_back(transaction)

    def connections_lost(self, who: str) -> None:
        """A process is gone."""
        for transaction in [it for it in self._transactions if it.who == who]:
            self.roll_back(transaction)

    def execute(self, statement: str, arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401
        if statement == NUDGE:
            return self.on_nudge()
        return STATEMENTS[statement][1](self.tables, *arguments)

    def begin(self, transaction: Transaction) -> None:
        if not transaction.is_over:
            transaction.idle_since = self.tables.now()
            self._transactions.append(transaction)

    def execute_in(self, transaction: Transaction, statement: str, arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401
        self._go_on(transaction)
        if statement == LOCK_LEASES:
            return self._lock(transaction)
        assert transaction.own is not None, "the lock comes first"
        return LEASE_STATEMENTS[statement][1](self.tables, transaction.own, *arguments)

    def _lock(self, transaction: Transaction) -> None:
        holder = self._holder
        if holder is not None:
            if self.tables.now() - holder.idle_since < IDLE_TIMEOUT_SECONDS:
                raise Busy
            self.roll_back(holder)
        self._holder = transaction
        transaction.own = self.tables.shared.copied()

    def commit(self, transaction: Transaction) -> None:
        self._go_on(transaction)
        if transaction.own is not None:
            self.tables.shared = transaction.own
        self.roll_back(transaction)

    def roll_back(self, transaction: Transaction) -> None:
        """End it."""
        transaction.is_over = True
        if transaction in self._transactions:
            self._transactions.remove(transaction)
        if self._holder is transaction:
            self._holder = None

    def _go_on(self, transaction: Transaction) -> None:
        if transaction.is_over:
            raise asyncpg.ConnectionDoesNotExistError("The server has closed the connection.")
        transaction.idle_since = self.tables.now()


class Pool:
    """The methods of asyncpg's pool that the product uses. There is always a connection to be had."""

    def __init__(self, network: Network, who: str, server: DatabaseServer) -> None:
        self.network = network
        self.who = who
        self.server = server

    async def call(self, what: str, work: Callable[[], Any]) -> Any:  # noqa: ANN401
        [reply] = await self.network.call(self.who, self.server, what, [work], OUTAGES)
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def execute(self, statement: str, *arguments: Any) -> Any:  # noqa: ANN401
        name = STATEMENTS[statement][0] if statement in STATEMENTS else "nudge"
        return await self.call(name, lambda: self.server.execute(statement, arguments))

    fetch = fetch_hot = execute

    async def fetchrow(self, statement: str, *arguments: Any) -> Row | None:  # noqa: ANN401
        rows = await self.fetch(statement, *arguments)
        return rows[0] if rows else None

    async def fetchval(self, statement: str, *arguments: Any) -> Any:  # noqa: ANN401
        row = await self.fetchrow(statement, *arguments)
        return next(iter(row.values())) if row else None

    def acquire(self) -> Acquiring:
        return Acquiring(self)

    async def release(self, connection: Connection) -> None:
        pass


class Acquiring:
    """What is awaited for a connection, or entered."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def __await__(self) -> Generator[Any, None, Connection]:
        return self._connection().__await__()

    async def _connection(self) -> Connection:
        return Connection(self._pool)

    async def __aenter__(self) -> Connection:
        return Connection(self._pool)

    async def __aexit__(self, *_: object) -> None:
        pass


class Connection:
    """A connection, with a transaction or without."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._open: Transaction | None = None

    def transaction(self) -> Connection:
        return self

    async def __aenter__(self) -> None:
        opened = Transaction(self._pool.who)
        await self._in(opened, "begin", lambda: self._pool.server.begin(opened))
        self._open = opened

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        opened, self._open = self._open, None
        assert opened
        server = self._pool.server
        if kind is None:
            await self._in(opened, "commit", lambda: server.commit(opened))
        else:
            # The server hears that the connection is closed.
            self._pool.network.later(0.001, server.roll_back, opened)

    async def _in(self, opened: Transaction, what: str, work: Callable[[], Any]) -> Any:  # noqa: ANN401
        try:
            return await self._pool.call(what, work)
        except (OSError, TimeoutError):
            if what != "commit":
                # A connection that is lost takes its transaction with it; a commit may be under way still.
                self._pool.network.later(0.001, self._pool.server.roll_back, opened)
            raise

    async def execute(self, statement: str, *arguments: Any) -> Any:  # noqa: ANN401
        opened, pool = self._open, self._pool
        if opened is None:
            return await pool.execute(statement, *arguments)
        if statement == LOCK_LEASES:
            return await self._lock(opened)
        name = LEASE_STATEMENTS[statement][0]
        return await self._in(opened, name, lambda: pool.server.execute_in(opened, statement, arguments))

    fetch = execute

    async def fetchval(self, statement: str, *arguments: Any) -> Any:  # noqa: ANN401
        [row] = await self.execute(statement, *arguments)
        return next(iter(row.values()))

    async def _lock(self, opened: Transaction) -> None:
        loop = asyncio.get_running_loop()
        patience_ends = loop.time() + LOCK_TIMEOUT_SECONDS
        while True:
            try:
                return await self._in(opened, "lock", lambda: self._pool.server.execute_in(opened, LOCK_LEASES, ()))
            except Busy:
                if loop.time() > patience_ends:
                    raise asyncpg.LockNotAvailableError("canceling statement due to lock timeout") from None
                await asyncio.sleep(0.05)
