"""Connections to Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import asyncpg
from asyncpg.pool import PoolAcquireContext, PoolConnectionProxy

from tiebreak.database.hot_connections import LONGEST_IDLE_SECONDS, HotConnections
from tiebreak.errors import DatabaseUnavailable

if TYPE_CHECKING:  # generic in asyncpg-stubs only
    AnyPool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    AnyPool = asyncpg.Pool
    Connection = asyncpg.Connection | PoolConnectionProxy
Record = asyncpg.Record
UniqueViolation = asyncpg.UniqueViolationError

# What asyncpg raises when the server is gone, going, not there yet, or cannot do its work now. Retrying may help.
OUTAGES = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InsufficientResourcesError,  # class 53: the disk or the memory is full, too many connections
    asyncpg.OperatorInterventionError,  # class 57: starting, shutting down, crashed, a statement cancelled
    asyncpg.PostgresSystemError,  # class 58: reading or writing its files failed
    asyncpg.ReadOnlySQLTransactionError,  # demoted, or set so by whoever runs it
    asyncpg.LockNotAvailableError,
    asyncpg.InternalClientError,  # the server has said that it ends the connection, and not ended it yet
)

# For loops that do their best and try again anyway: whatever Postgres says.
FAILURES = (*OUTAGES, asyncpg.PostgresError)

# A gateway gives up after 15 s: with the 5 s that an answer may wait for its turn, what hangs is refused before that.
STATEMENT_SECONDS = 10.0
CONNECT_SECONDS = 5.0
# For a connection while all are in use; a hung Postgres holds each of them for a statement's time and the cancelling's.
FREE_SECONDS = 10.0

Result = TypeVar("Result")


class Pool(AnyPool):
    """Nobody waits for a connection for longer than FREE_SECONDS: TimeoutError, which is an outage."""

    def __init__(self, hot: HotConnections, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **options)
        self._hot = hot

    def acquire(self, *, timeout: float | None = None) -> PoolAcquireContext[Record]:
        # In asyncpg's queue are the connections that nobody has, those that are still to be opened included, which has
        # a time limit of its own. Its get_idle_size looks at each connection. Only where somebody has to wait: asyncpg
        # makes a task for each time limit.
        if timeout is None and self._queue.empty():
            timeout = FREE_SECONDS
        return super().acquire(timeout=timeout)

    async def fetch_hot(self, statement: str, *arguments: object) -> list[Record]:
        """As `fetch`, by a connection that does nothing else, where one is free: for the statements of the hot path."""
        return await (self._hot.fetch if self._hot.free else self.fetch)(statement, *arguments)

    async def close(self) -> None:
        try:
            await self._hot.close()
        except BaseException:
            self.terminate()
            raise
        await super().close()

    def terminate(self) -> None:
        self._hot.terminate()
        super().terminate()


async def open_pool(
    url: str,
    *,
    size: int,
    hot: int = 0,
    connect_seconds: float = 10.0,
    plans: Literal["auto", "force_generic_plan"] = "auto",
) -> Pool:
    """A pool of up to `size` connections, opened as they are needed; `hot` of them for `fetch_hot` alone.

    With generic `plans` a statement is planned once and not for the values of each call: for statements that find
    everything by index whatever the values are, planning is most of their cost (bench/answers).
    Raises DatabaseUnavailable if the server does not answer within `connect_seconds`.
    """

    # One is left for all else.
    hot = min(hot, size - 1)
    # jit: our statements take milliseconds; compiling them would take longer than running them.
    settings = {"jit": "off", "plan_cache_mode": plans}

    async def connect() -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(url, timeout=CONNECT_SECONDS, server_settings=settings)

    async def create() -> Pool:
        return await Pool(
            HotConnections(connect, most=hot, statement_seconds=STATEMENT_SECONDS, outages=OUTAGES),
            url,
            min_size=1,
            max_size=size - hot,
            max_queries=50_000,
            max_inactive_connection_lifetime=LONGEST_IDLE_SECONDS,
            loop=None,
            connection_class=asyncpg.Connection,
            record_class=asyncpg.Record,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            reset=leave_as_it_is,
            server_settings=settings,
        )

    return await patiently(create, connect_seconds)


async def can_write(pool: Pool) -> None:
    """A check for Doctor. Raises DatabaseUnavailable where Postgres answers and takes nothing; OUTAGES."""
    if await pool.fetchval("SELECT current_setting('transaction_read_only')") == "on":
        raise DatabaseUnavailable("Postgres is read-only: it was demoted, or set so.")


async def leave_as_it_is(_: Connection) -> None:
    """What a connection needs before its next use. asyncpg ends an open transaction itself; its reset is a round trip
    after every statement, for settings, locks and cursors of the connection, and ours are all of a transaction."""


async def patiently(attempt: Callable[[], Awaitable[Result]], seconds: float) -> Result:
    """Repeat an attempt while Postgres is not there yet, at most so long."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            return await attempt()
        except OUTAGES as error:
            if asyncio.get_running_loop().time() > deadline:
                raise DatabaseUnavailable(
                    f"Postgres does not answer ({error}). Check that it runs and that TIEBREAK_DATABASE_URL is right."
                ) from error
            await asyncio.sleep(0.1)
